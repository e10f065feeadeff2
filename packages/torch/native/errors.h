// The only way in which native code throws. The error has JavaScript's stack, keeps libtorch's as `nativeStack`, and
// names the operator and the shapes of its arguments in the message.
#pragma once
#include <c10/util/Exception.h>
#include <napi.h>

#include <string>

namespace magface {

/// src/errors.ts recognizes it by its `operator` and converts it to its class.
inline Napi::Error torch_error(Napi::Env env, const std::string& op, const std::string& shapes,
                               const std::string& reason, const std::string& native_stack) {
  const std::string first_line = reason.substr(0, reason.find('\n'));
  Napi::Error error = Napi::Error::New(env, op + "(" + shapes + "): " + first_line);
  error.Value().Set("operator", op);
  error.Value().Set("shapes", shapes);
  error.Value().Set("nativeStack", native_stack);
  return error;
}

/// Runs `body`. Rethrows what libtorch throws as a TorchError with the operator's name and `shapes()`.
template <typename Body, typename Shapes>
auto guarded(Napi::Env env, const char* op, Shapes shapes, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (const c10::Error& error) {
    throw torch_error(env, op, shapes(), error.what_without_backtrace(), error.what());
  } catch (const std::exception& error) {
    throw torch_error(env, op, shapes(), error.what(), "");
  }
}

template <typename Body>
auto guarded(Napi::Env env, const char* op, Body body) -> decltype(body()) {
  return guarded(env, op, [] { return std::string(); }, body);
}

}  // namespace magface
