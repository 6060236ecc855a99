#include "rpc/gather.hpp"

#include <array>

#include <sys/uio.h>

namespace mp::rpc {
namespace {

constexpr std::size_t shared_from = 4'096;  // bytes; fewer are cheaper to copy
constexpr std::size_t most_parts = 64;      // of one system call

}  // namespace

void Gather::copy(std::string_view bytes) {
  if (bytes.empty()) return;
  if (parts_.empty() || parts_.back().owner)
    parts_.push_back({.owner = nullptr, .begin = text_.size(), .size = 0});
  text_.append(bytes);
  parts_.back().size += bytes.size();
  size_ += bytes.size();
}

void Gather::refer(const std::shared_ptr<const std::string>& owner, std::string_view bytes) {
  if (bytes.size() < shared_from) return copy(bytes);
  const auto begin = static_cast<std::size_t>(bytes.data() - owner->data());
  parts_.push_back({.owner = owner, .begin = begin, .size = bytes.size()});
  size_ += bytes.size();
}

Transfer Gather::send(Channel& channel) {
  std::array<iovec, most_parts> list;
  while (size_ > 0) {
    std::size_t count = 0;
    for (std::size_t at = first_; at < parts_.size() && count < list.size(); ++at) {
      const Part& part = parts_[at];
      const char* bytes = (part.owner ? part.owner->data() : text_.data()) + part.begin;
      list[count++] = {.iov_base = const_cast<char*>(bytes), .iov_len = part.size};
    }
    const Moved moved = channel.write({list.data(), count});
    if (moved.result != Transfer::Done) return moved.result;
    advance(moved.bytes);
  }
  text_.clear();
  parts_.clear();
  first_ = 0;
  return Transfer::Done;
}

void Gather::advance(std::size_t bytes) {
  size_ -= bytes;
  while (bytes > 0) {
    Part& part = parts_[first_];
    if (bytes < part.size) {
      part.begin += bytes;
      part.size -= bytes;
      return;
    }
    bytes -= part.size;
    part = {};
    ++first_;
  }
}

}  // namespace mp::rpc
