#include "base/outside.hpp"

#include "base/random_texts.hpp"

#include <sodium.h>

#include <array>
#include <string_view>
#include <utility>

namespace mp {

Time SystemClock::now() const {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

ManualClock::ManualClock(Time start) : now_(to_milliseconds(start)) {}

Time ManualClock::now() const { return from_milliseconds(now_.load()); }

void ManualClock::advance(Milliseconds step) { now_.fetch_add(step.count()); }

void random_bytes(std::span<std::byte> target) { randombytes_buf(target.data(), target.size()); }

namespace {

constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

// 6 bits of the byte are used. What is over the last letter is thrown away, so that all are as
// likely.
void append_letter(std::string& text, unsigned char byte) {
  const unsigned at = byte & 63U;
  if (at < letters.size()) text.push_back(letters[at]);
}

}  // namespace

std::string random_text(std::size_t length) {
  std::string text;
  text.reserve(length);
  // Each call of the generator is a system call: many bytes at a time.
  std::array<unsigned char, 32> bytes;
  while (text.size() < length) {
    randombytes_buf(bytes.data(), bytes.size());
    for (const unsigned char byte : bytes) {
      if (text.size() < length) append_letter(text, byte);
    }
  }
  sodium_memzero(bytes.data(), bytes.size());
  return text;
}

std::string RandomTexts::take(std::size_t length) {
  std::string text;
  text.reserve(length);
  const std::lock_guard lock(mutex_);
  while (text.size() < length) {
    if (left_ == 0) {
      randombytes_buf(bytes_.data(), bytes_.size());
      left_ = bytes_.size();
    }
    append_letter(text, std::exchange(bytes_[--left_], 0));
  }
  return text;
}

}  // namespace mp
