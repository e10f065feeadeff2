// Declarations that ProcessGroupGloo.hpp needs from gloo's headers, which libtorch's packages leave out. It refers to
// gloo's objects through pointers only, so declarations are enough. Nothing here is defined, so nothing can replace
// gloo's own code.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gloo {

/// The header of libtorch 2.14 calls setTimeout.
class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};
class Algorithm;

namespace transport {
class Device;
class UnboundBuffer {
 public:
  virtual ~UnboundBuffer();
};
}  // namespace transport

namespace rendezvous {
/// Declares every function that some version of libtorch overrides.
class Store {
 public:
  static constexpr std::chrono::milliseconds kDefaultTimeout = std::chrono::seconds(30);
  virtual ~Store();
  virtual void set(const std::string& key, const std::vector<char>& value);
  virtual std::vector<char> get(const std::string& key);
  virtual void wait(const std::vector<std::string>& keys);
  virtual void wait(const std::vector<std::string>& keys, const std::chrono::milliseconds& timeout);
  virtual bool has_v2_support();
  virtual std::vector<std::vector<char>> multi_get(const std::vector<std::string>& keys);
  virtual void multi_set(const std::vector<std::string>& keys, const std::vector<std::vector<char>>& values);
  virtual void append(const std::string& key, const std::vector<char>& value);
  virtual int64_t add(const std::string& key, int64_t value);
};
}  // namespace rendezvous

}  // namespace gloo
