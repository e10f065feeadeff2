// libtorch's types and their names in JavaScript.
#pragma once
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>
#include <napi.h>

#include <string>
#include <utility>

#include "errors.h"

namespace magface {

constexpr std::pair<const char*, at::ScalarType> dtypes[] = {
    {"float32", at::kFloat}, {"bfloat16", at::kBFloat16}, {"float16", at::kHalf}, {"float64", at::kDouble},
    {"int64", at::kLong},    {"int32", at::kInt},         {"int16", at::kShort},  {"int8", at::kChar},
    {"uint8", at::kByte},    {"bool", at::kBool},
};

constexpr std::pair<const char*, at::MemoryFormat> memory_formats[] = {
    {"contiguous", at::MemoryFormat::Contiguous},
    {"channelsLast", at::MemoryFormat::ChannelsLast},
    {"preserve", at::MemoryFormat::Preserve},
};

inline at::ScalarType dtype_of(Napi::Env env, const std::string& name) {
  for (const auto& [known, type] : dtypes) if (name == known) return type;
  throw torch_error(env, "dtype", "", "Expected a dtype such as float32 but received " + name, "");
}

inline const char* dtype_name(at::ScalarType type) {
  for (const auto& [name, known] : dtypes) if (type == known) return name;
  return "unknown";
}

inline at::MemoryFormat memory_format_of(Napi::Env env, const std::string& name) {
  for (const auto& [known, format] : memory_formats) if (name == known) return format;
  throw torch_error(env, "memoryFormat", "", "Expected contiguous, channelsLast or preserve but received " + name, "");
}

}  // namespace magface
