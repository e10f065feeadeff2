// Calls of operators: looks them up by name, converts the arguments by the schema, and calls them boxed.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/jit_type.h>

#include <deque>

#include "dtypes.h"
#include "errors.h"
#include "handle.h"

namespace magface {
namespace {

using c10::IValue;
using c10::TypeKind;

struct Operator {
  c10::OperatorHandle handle;
  std::string name;
};

std::deque<Operator>& operators() {
  static std::deque<Operator> all;  // a deque, because pointers to the names must stay valid
  return all;
}

Operator& operator_of(const Napi::CallbackInfo& info) {
  return operators().at(info[0].As<Napi::Number>().Uint32Value());
}

bool is_none(Napi::Value value) { return value.IsUndefined() || value.IsNull(); }

/// The error for one argument: `aten::conv2d: argument "stride" must be int[2], received a string`.
Napi::Error wrong_argument(Napi::Value value, const Operator& op, const c10::Argument& argument) {
  static const char* const names[] = {"undefined", "null",   "a boolean",  "a number",  "a string",
                                      "a symbol",  "an object", "a function", "a tensor", "a bigint"};
  return torch_error(value.Env(), op.name, "",
                     "argument \"" + argument.name() + "\" must be " + argument.type()->repr_str() + ", received " +
                         names[value.Type()],
                     "");
}

struct Context {
  const Operator& op;
  const c10::Argument& argument;
};

int64_t to_int(Napi::Value value, TypeKind real, const Context& at) {
  if (value.IsNumber()) return value.As<Napi::Number>().Int64Value();
  if (value.IsString()) {
    const std::string name = value.As<Napi::String>();
    if (real == TypeKind::ScalarTypeType) return static_cast<int64_t>(dtype_of(value.Env(), name));
    if (real == TypeKind::MemoryFormatType) return static_cast<int64_t>(memory_format_of(value.Env(), name));
  }
  if (value.IsBigInt()) {
    bool lossless;
    return value.As<Napi::BigInt>().Int64Value(&lossless);
  }
  throw wrong_argument(value, at.op, at.argument);
}

IValue to_scalar(Napi::Value value, const Context& at) {
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
  if (value.IsBigInt()) return to_int(value, TypeKind::IntType, at);
  if (!value.IsNumber()) throw wrong_argument(value, at.op, at.argument);
  const double number = value.As<Napi::Number>();
  // A whole number is passed as an integer, as in Python, so that an integer tensor plus 1 stays an integer tensor.
  if (std::trunc(number) == number && std::abs(number) < 9007199254740992.0) return static_cast<int64_t>(number);
  return number;
}

IValue to_ivalue(Napi::Value value, const c10::Type& type, TypeKind real, const Context& at);

template <typename T, typename Convert>
c10::List<T> to_list(Napi::Value value, const Context& at, Convert convert) {
  c10::List<T> list;
  if (!value.IsArray()) {  // `int[2] stride = 1` means (1, 1)
    const int32_t repeats = at.argument.N().value_or(0);
    if (repeats == 0) throw wrong_argument(value, at.op, at.argument);
    for (int32_t i = 0; i < repeats; ++i) list.push_back(convert(value));
    return list;
  }
  const Napi::Array array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) list.push_back(convert(array.Get(i)));
  return list;
}

IValue to_list_ivalue(Napi::Value value, const c10::Type& element, const Context& at) {
  const char* name = at.op.name.c_str();
  switch (element.kind()) {
    case TypeKind::TensorType:
      return to_list<at::Tensor>(value, at, [&](Napi::Value v) { return unwrap(v, name); });
    case TypeKind::OptionalType:
      return to_list<c10::optional<at::Tensor>>(value, at, [&](Napi::Value v) {
        return is_none(v) ? c10::optional<at::Tensor>() : c10::optional<at::Tensor>(unwrap(v, name));
      });
    case TypeKind::IntType:
    case TypeKind::SymIntType:
      return to_list<int64_t>(value, at, [&](Napi::Value v) { return to_int(v, TypeKind::IntType, at); });
    case TypeKind::FloatType:
      return to_list<double>(value, at, [&](Napi::Value v) { return v.ToNumber().DoubleValue(); });
    case TypeKind::BoolType:
      return to_list<bool>(value, at, [&](Napi::Value v) { return v.ToBoolean().Value(); });
    case TypeKind::NumberType:
      return to_list<at::Scalar>(value, at, [&](Napi::Value v) { return to_scalar(v, at).toScalar(); });
    default:
      throw wrong_argument(value, at.op, at.argument);
  }
}

IValue to_ivalue(Napi::Value value, const c10::Type& type, TypeKind real, const Context& at) {
  const char* name = at.op.name.c_str();
  switch (type.kind()) {
    case TypeKind::OptionalType:
      if (is_none(value)) return IValue();
      return to_ivalue(value, *type.containedType(0), real, at);
    case TypeKind::TensorType:
      if (!value.IsNumber()) throw wrong_argument(value, at.op, at.argument);
      return unwrap(value, name);
    case TypeKind::NumberType:
      return to_scalar(value, at);
    case TypeKind::IntType:
    case TypeKind::SymIntType:
      return to_int(value, real, at);
    case TypeKind::FloatType:
      if (!value.IsNumber()) throw wrong_argument(value, at.op, at.argument);
      return value.As<Napi::Number>().DoubleValue();
    case TypeKind::BoolType:
      if (!value.IsBoolean()) throw wrong_argument(value, at.op, at.argument);
      return value.As<Napi::Boolean>().Value();
    case TypeKind::StringType:
      if (!value.IsString()) throw wrong_argument(value, at.op, at.argument);
      return std::string(value.As<Napi::String>());
    case TypeKind::DeviceObjType:
      if (!value.IsString()) throw wrong_argument(value, at.op, at.argument);
      return at::Device(std::string(value.As<Napi::String>()));
    case TypeKind::GeneratorType:
      return unwrap_generator(value, name);
    case TypeKind::ListType:
      return to_list_ivalue(value, *type.containedType(0), at);
    default:
      throw wrong_argument(value, at.op, at.argument);
  }
}

/// The argument's kind in the schema, without optionals: ScalarType and MemoryFormat are passed as int.
TypeKind real_kind(const c10::Argument& argument) {
  const c10::Type* type = argument.real_type().get();
  while (type->kind() == TypeKind::OptionalType) type = type->containedType(0).get();
  return type->kind();
}

Napi::Value from_ivalue(Napi::Env env, IValue&& value, const char* op) {
  if (value.isNone()) return env.Null();
  if (value.isTensor()) return wrap(env, std::move(value).toTensor());
  if (value.isInt()) return Napi::Number::New(env, static_cast<double>(value.toInt()));
  if (value.isDouble()) return Napi::Number::New(env, value.toDouble());
  if (value.isBool()) return Napi::Boolean::New(env, value.toBool());
  if (value.isString()) return Napi::String::New(env, value.toStringRef());
  if (value.isList()) {
    const auto list = value.toList();
    Napi::Array array = Napi::Array::New(env, list.size());
    for (size_t i = 0; i < list.size(); ++i) array.Set(i, from_ivalue(env, IValue(list.get(i)), op));
    return array;
  }
  throw torch_error(env, op, "", "returned " + value.tagKind() + ", which has no counterpart in JavaScript", "");
}

std::string shapes_of(const std::vector<IValue>& stack) {
  std::string text;
  for (const IValue& value : stack) {
    if (!value.isTensor() || !value.toTensor().defined()) continue;
    std::ostringstream one;
    one << (text.empty() ? "" : ", ") << dtype_name(value.toTensor().scalar_type()) << value.toTensor().sizes();
    text += one.str();
  }
  return text;
}

/// find(name, overload): the operator's id, or null if this libtorch has no such operator.
Napi::Value find(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  const std::string overload = info[1].As<Napi::String>();
  const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!handle.has_value()) return info.Env().Null();
  operators().push_back({*handle, overload.empty() ? name : name + "." + overload});
  return Napi::Number::New(info.Env(), static_cast<double>(operators().size() - 1));
}

/// schema(operator): {arguments: [{name, type, hasDefault}], returns: [type]}
Napi::Value schema(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const c10::FunctionSchema& schema = operator_of(info).handle.schema();
  Napi::Array arguments = Napi::Array::New(env);
  for (const c10::Argument& argument : schema.arguments()) {
    Napi::Object one = Napi::Object::New(env);
    one.Set("name", argument.name());
    one.Set("type", argument.real_type()->str());
    one.Set("hasDefault", argument.default_value().has_value());
    one.Set("repeats", argument.N().value_or(0));
    arguments.Set(arguments.Length(), one);
  }
  Napi::Array returns = Napi::Array::New(env);
  for (const c10::Argument& value : schema.returns()) returns.Set(returns.Length(), value.type()->str());
  Napi::Object result = Napi::Object::New(env);
  result.Set("arguments", arguments);
  result.Set("returns", returns);
  return result;
}

/// call(operator, arguments): omitted arguments take the schema's default; several results are returned as an array.
Napi::Value call(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Operator& op = operator_of(info);
  const Napi::Array given = info[1].As<Napi::Array>();
  std::vector<IValue> stack;
  return guarded(env, op.name.c_str(), [&] { return shapes_of(stack); }, [&]() -> Napi::Value {
    const auto& arguments = op.handle.schema().arguments();
    stack.reserve(arguments.size());
    for (uint32_t i = 0; i < arguments.size(); ++i) {
      const c10::Argument& argument = arguments[i];
      const Napi::Value value = given.Get(i);
      if (value.IsUndefined() && argument.default_value()) stack.push_back(*argument.default_value());
      else stack.push_back(to_ivalue(value, *argument.type(), real_kind(argument), {op, argument}));
    }
    const std::vector<IValue> inputs = stack;
    try {
      op.handle.callBoxed(stack);
    } catch (...) {
      stack = inputs;  // for the message
      throw;
    }
    if (stack.empty()) return env.Undefined();
    if (stack.size() == 1) return from_ivalue(env, std::move(stack[0]), op.name.c_str());
    Napi::Array results = Napi::Array::New(env, stack.size());
    for (size_t i = 0; i < stack.size(); ++i) results.Set(i, from_ivalue(env, std::move(stack[i]), op.name.c_str()));
    return results;
  });
}

}  // namespace

Napi::Object init_dispatch(Napi::Env env, Napi::Object exports) {
  exports.Set("find", Napi::Function::New(env, find));
  exports.Set("schema", Napi::Function::New(env, schema));
  exports.Set("call", Napi::Function::New(env, call));
  return exports;
}

}  // namespace magface
