// A CPU allocator that caches freed blocks. Training allocates the same sizes in every step; glibc returns large blocks
// to the kernel each time, and then every page of the next block faults again.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "errors.h"
#include "handle.h"

namespace magface {
namespace {

constexpr size_t smallest_kept = 1 << 16;  // glibc serves smaller blocks without the kernel

size_t rounded(size_t bytes) {
  size_t step = smallest_kept;
  while (step * 16 < bytes) step *= 2;  // wastes at most 1/8 of a block
  return (bytes + step - 1) / step * step;
}

/// Asks the kernel for 2 MiB pages where a block covers whole ones: one page fault instead of 512.
void prefer_huge_pages(void* block, size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr uintptr_t page = 1 << 21;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(block) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(block) + bytes) / page * page;
  if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

/// Counters of the blocks that this allocator serves, in bytes and in calls.
struct Counts {
  size_t in_use = 0, cached = 0, peak = 0, hits = 0, misses = 0;
};

class CachingAllocator final : public c10::Allocator {
 public:
  explicit CachingAllocator(c10::Allocator* below) : below_(below) {}

  // libtorch 2.x dropped the `const` and added copy_data. These match the virtual functions of every version, so they
  // cannot say `override`.
  c10::DataPtr allocate(size_t bytes) { return std::as_const(*this).allocate(bytes); }
  void copy_data(void* to, const void* from, std::size_t bytes) const { std::memcpy(to, from, bytes); }
  c10::DataPtr allocate(size_t bytes) const {
    if (bytes < smallest_kept) return below_->allocate(bytes);
    void* block = take(rounded(bytes));
    return {block, block, &CachingAllocator::give_back, at::Device(at::kCPU)};
  }

  // For callers of raw_allocate, such as oneDNN's scratchpad. Also frees blocks that are older than this allocator.
  c10::DeleterFnPtr raw_deleter() const override { return &CachingAllocator::give_back; }

  void set_limit(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    limit_ = bytes;
    release(limit_);
  }
  void trim(size_t target) {
    std::lock_guard<std::mutex> lock(mutex_);
    release(target);
  }
  void reset_peak() {
    std::lock_guard<std::mutex> lock(mutex_);
    counts_.peak = counts_.in_use;
  }
  Counts counts() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return counts_;
  }
  size_t limit() const { return limit_; }

  static CachingAllocator*& instance() {
    static CachingAllocator* one = nullptr;
    return one;
  }

 private:
  void* take(size_t size) const {
    std::lock_guard<std::mutex> lock(mutex_);
    void* block;
    std::vector<void*>& blocks = free_[size];
    if (blocks.empty()) {
      block = below_->raw_allocate(size);
      prefer_huge_pages(block, size);
      sizes_[block] = size;
      ++counts_.misses;
    } else {
      block = blocks.back();
      blocks.pop_back();
      counts_.cached -= size;
      ++counts_.hits;
    }
    counts_.in_use += size;
    counts_.peak = std::max(counts_.peak, counts_.in_use);
    return block;
  }

  static void give_back(void* block) { instance()->keep_or_free(block); }

  void keep_or_free(void* block) const {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = sizes_.find(block);
    if (found == sizes_.end()) return below_->raw_deallocate(block);
    const size_t size = found->second;
    counts_.in_use -= size;
    free_[size].push_back(block);
    counts_.cached += size;
    release(limit_);
  }

  /// Returns cached blocks to the system, largest first, until at most `target` bytes are cached.
  void release(size_t target) const {
    for (auto entry = free_.rbegin(); entry != free_.rend() && counts_.cached > target; ++entry)
      for (std::vector<void*>& blocks = entry->second; counts_.cached > target && !blocks.empty(); blocks.pop_back()) {
        sizes_.erase(blocks.back());
        below_->raw_deallocate(blocks.back());
        counts_.cached -= entry->first;
      }
  }

  c10::Allocator* below_;
  mutable std::mutex mutex_;
  mutable std::map<size_t, std::vector<void*>> free_;
  mutable std::unordered_map<void*, size_t> sizes_;
  mutable Counts counts_;
  std::atomic<size_t> limit_{0};
};

size_t bytes_of(Napi::Value value) { return static_cast<size_t>(value.As<Napi::Number>().DoubleValue()); }

/// cacheMemory(bytes): caches up to that many bytes of freed blocks. A first call with 0 leaves libtorch's allocator in
/// place.
Napi::Value cache_memory(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "cacheMemory", [&] {
    CachingAllocator*& one = CachingAllocator::instance();
    const size_t bytes = bytes_of(info[0]);
    if (one == nullptr && bytes > 0) {
      one = new CachingAllocator(c10::GetCPUAllocator());  // must outlive every tensor it allocated
      c10::SetCPUAllocator(one, 1);
    }
    if (one != nullptr) one->set_limit(bytes);
    return info.Env().Undefined();
  });
}

/// trimMemory(bytes): returns cached blocks to the system until at most that many bytes remain.
Napi::Value trim_memory(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "trimMemory", [&] {
    if (CachingAllocator* one = CachingAllocator::instance()) one->trim(bytes_of(info[0]));
    return info.Env().Undefined();
  });
}

/// memoryStatistics(resetPeak): {inUse, cached, peak, hits, misses, limit}; all 0 if the allocator is not in place.
Napi::Value memory_statistics(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "memoryStatistics", [&] {
    CachingAllocator* one = CachingAllocator::instance();
    const Counts counts = one == nullptr ? Counts() : one->counts();
    Napi::Object result = Napi::Object::New(env);
    const auto set = [&](const char* name, size_t value) { result.Set(name, static_cast<double>(value)); };
    set("inUse", counts.in_use);
    set("cached", counts.cached);
    set("peak", counts.peak);
    set("hits", counts.hits);
    set("misses", counts.misses);
    set("limit", one == nullptr ? 0 : one->limit());
    if (one != nullptr && info[0].ToBoolean()) one->reset_peak();
    return result;
  });
}

}  // namespace

Napi::Object init_allocator(Napi::Env env, Napi::Object exports) {
  exports.Set("cacheMemory", Napi::Function::New(env, cache_memory));
  exports.Set("trimMemory", Napi::Function::New(env, trim_memory));
  exports.Set("memoryStatistics", Napi::Function::New(env, memory_statistics));
  return exports;
}

}  // namespace magface
