#include "base/outside.hpp"

#include <sodium.h>

#include <array>

namespace mp {

Time SystemClock::now() const {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

ManualClock::ManualClock(Time start) : now_(to_milliseconds(start)) {}

Time ManualClock::now() const { return from_milliseconds(now_.load()); }

void ManualClock::advance(Milliseconds step) { now_.fetch_add(step.count()); }

void random_bytes(std::span<std::byte> target) { randombytes_buf(target.data(), target.size()); }

std::string random_text(std::size_t length) {
  static constexpr char letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr unsigned count = sizeof letters - 1;
  std::string text;
  text.reserve(length);
  // Each call of the generator is a system call: many bytes at a time, of which 6 bits are used.
  // What is over the last letter is thrown away, so that all are as likely.
  std::array<unsigned char, 32> bytes;
  while (text.size() < length) {
    randombytes_buf(bytes.data(), bytes.size());
    for (const unsigned char byte : bytes) {
      const unsigned at = byte & 63U;
      if (at < count && text.size() < length) text.push_back(letters[at]);
    }
  }
  sodium_memzero(bytes.data(), bytes.size());
  return text;
}

}  // namespace mp
