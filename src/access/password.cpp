#include "access/password.hpp"

#include "access/common_passwords.hpp"
#include "base/outside.hpp"
#include "base/scheduling.hpp"
#include "base/utf8.hpp"

#include <argon2.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <thread>

namespace mp {
namespace {

constexpr std::size_t shortest = 12;
constexpr std::size_t longest = 128;
constexpr std::uint32_t passes = 2;
constexpr std::uint32_t memory = 19 * 1024;  // KiB; with 2 passes: the OWASP's second choice
constexpr std::uint32_t lanes = 1;
constexpr std::size_t salt_bytes = 16, hash_bytes = 32;
constexpr std::chrono::seconds longest_wait{5};

// Code points of UTF-8.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char letter) { return (static_cast<unsigned char>(letter) & 0xC0) != 0x80; }));
}

// A short piece said again and again: "aaaaaaaaaaaa", "abcabcabcabc".
bool is_repetition(std::string_view text) {
  constexpr std::size_t longest_piece = 4;
  for (std::size_t piece = 1; piece <= longest_piece; ++piece) {
    if (text.substr(piece) == text.substr(0, text.size() - piece)) return true;
  }
  return false;
}

// A run along the alphabet, the digits or a keyboard, in either direction.
bool is_run(const std::string& text) {
  static constexpr std::array<std::string_view, 4> rows{
      "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
      "012345678901234567890123456789012345678901234567890",
      "1234567890qwertyuiopasdfghjklzxcvbnm1234567890",
      "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/1qaz2wsx"};
  const std::string backwards(text.rbegin(), text.rend());
  return std::ranges::any_of(rows, [&](std::string_view row) {
    return row.find(text) != std::string_view::npos ||
           row.find(backwards) != std::string_view::npos;
  });
}

bool is_common(const std::string& text) {
  return std::ranges::binary_search(common_passwords, std::string_view(text)) ||
         is_repetition(text) || is_run(text);
}

// By the reference implementation and not by libsodium, whose is quicker: libsodium maps the memory
// anew for each hash, and while the kernel fills it nobody else's heap can grow.
std::string make_hash(const Secret& password) {
  std::array<unsigned char, salt_bytes> salt{};
  randombytes_buf(salt.data(), salt.size());
  std::array<char, crypto_pwhash_STRBYTES> text{};
  const std::string& plain = password.reveal();
  const int result =
      argon2id_hash_encoded(passes, memory, lanes, plain.data(), plain.size(), salt.data(),
                            salt.size(), hash_bytes, text.data(), text.size());
  if (result != ARGON2_OK)
    throw unavailable("The password cannot be checked now", argon2_error_message(result));
  return text.data();
}

std::string base64(std::span<const unsigned char> bytes) {
  constexpr int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), variant);
  text.pop_back();  // the NUL
  return text;
}

// Not logged one by one: the metrics count them.
Error busy() { return unavailable("Too many sign-ins at once", ""); }

}  // namespace

void check_password_rules(const Secret& password, std::string_view username,
                          const std::string& field, Violations& violations) {
  const std::string text = ascii_lower(password.reveal());
  const std::size_t length = characters(text);
  const auto refuse = [&](std::string issue) {
    violations.push_back({field, std::move(issue), std::nullopt});
  };
  if (length < shortest || length > longest) return refuse("Must be 12 to 128 characters long");
  if (text == ascii_lower(username)) return refuse("Must not be the user name");
  if (is_common(text)) refuse("Is one of the commonest passwords");
}

std::string unmet_hash() {
  std::array<unsigned char, salt_bytes + hash_bytes> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  const std::span all(bytes);
  return "$argon2id$v=19$m=" + std::to_string(memory) + ",t=" + std::to_string(passes) +
         ",p=" + std::to_string(lanes) + "$" + base64(all.first(salt_bytes)) + "$" +
         base64(all.subspan(salt_bytes));
}

HashGate::HashGate(HashLimits limits) : most_waiting_(limits.most_waiting), nobody_(unmet_hash()) {
  std::size_t count = limits.at_once;
  if (count == 0) count = std::max(2U, std::thread::hardware_concurrency()) - 1;
  for (std::size_t made = 0; made < count; ++made) threads_.emplace_back([this] { serve(); });
}

HashGate::~HashGate() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void HashGate::serve() {
  scheduling::give_way();
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Job& job = *waiting_.front();
    waiting_.pop_front();
    job.state = Job::State::Runs;
    ++running_;
    lock.unlock();
    progress_.notify_all();
    try {
      const scheduling::ShortTurns turns;
      job.work();
    } catch (...) {
      job.failure = std::current_exception();
    }
    lock.lock();
    job.state = Job::State::Done;
    --running_;
    progress_.notify_all();
  }
}

// Jobs that an idle thread is about to take do not count as waiting.
void HashGate::run(std::function<void()> work) {
  Job job{.work = std::move(work)};
  std::unique_lock lock(mutex_);
  if (waiting_.size() >= most_waiting_ + threads_.size() - running_) throw busy();
  waiting_.push_back(&job);
  wake_.notify_one();
  const auto begun = [&] { return job.state != Job::State::Waits; };
  if (!progress_.wait_for(lock, longest_wait, begun)) {
    std::erase(waiting_, &job);
    throw busy();
  }
  progress_.wait(lock, [&] { return job.state == Job::State::Done; });
  if (job.failure) std::rethrow_exception(job.failure);
}

std::string HashGate::hash(const Secret& password) {
  std::string made;
  run([&] { made = make_hash(password); });
  return made;
}

bool HashGate::verify(const std::string& hash, const Secret& password) {
  const std::string& plain = password.reveal();
  const std::string& known = hash.empty() ? nobody_ : hash;
  bool right = false;
  run([&] { right = argon2id_verify(known.c_str(), plain.data(), plain.size()) == ARGON2_OK; });
  return right && !hash.empty();
}

bool HashGate::needs_rehash(const std::string& hash) {
  return crypto_pwhash_str_needs_rehash(hash.c_str(), passes, memory * std::size_t{1024}) != 0;
}

}  // namespace mp
