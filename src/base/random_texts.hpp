// Random texts for names that are given out often, such as request ids: as random_text(), but many
// from one call of the operating system's generator. What was given out does not stay in memory;
// what comes next does, so it is not for secrets. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <string>

namespace mp {

class RandomTexts {
 public:
  // `length` letters and digits, evenly distributed.
  std::string take(std::size_t length);

 private:
  std::mutex mutex_;
  std::array<unsigned char, 2048> bytes_{};
  std::size_t left_ = 0;
};

}  // namespace mp
