#include "access/password.hpp"

#include "access/common_passwords.hpp"
#include "base/outside.hpp"

#include <sodium.h>

#include <array>
#include <chrono>
#include <thread>

namespace mp {
namespace {

constexpr std::size_t shortest = 12;
constexpr std::size_t longest = 128;
constexpr unsigned long long passes = 2;
constexpr std::size_t memory = 19 * 1024 * 1024;  // with 2 passes: the OWASP's second choice
constexpr std::chrono::seconds longest_wait{5};

std::string lower(std::string_view text) {
  std::string copy(text);
  for (char& letter : copy) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return copy;
}

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

std::string make_hash(const Secret& password) {
  std::array<char, crypto_pwhash_STRBYTES> text{};
  const std::string& plain = password.reveal();
  if (crypto_pwhash_str_alg(text.data(), plain.data(), plain.size(), passes, memory,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw unavailable("The password cannot be checked now", "no memory for a password hash");
  }
  return text.data();
}

}  // namespace

void check_password_rules(const Secret& password, std::string_view username,
                          const std::string& field, Violations& violations) {
  const std::string text = lower(password.reveal());
  const std::size_t length = characters(text);
  const auto refuse = [&](std::string issue) {
    violations.push_back({field, std::move(issue), std::nullopt});
  };
  if (length < shortest || length > longest) return refuse("Must be 12 to 128 characters long");
  if (text == lower(username)) return refuse("Must not be the user name");
  if (is_common(text)) refuse("Is one of the commonest passwords");
}

// A place at the hashing, held while it lives.
class HashGate::Turn {
 public:
  explicit Turn(HashGate& gate) : gate_(gate) {
    std::unique_lock lock(gate_.mutex_);
    if (gate_.free_ == 0 && gate_.waiting_ >= gate_.most_waiting_) throw busy();
    ++gate_.waiting_;
    const bool mine = gate_.freed_.wait_for(lock, longest_wait, [&] { return gate_.free_ > 0; });
    --gate_.waiting_;
    if (!mine) throw busy();
    --gate_.free_;
  }
  ~Turn() {
    {
      const std::lock_guard lock(gate_.mutex_);
      ++gate_.free_;
    }
    gate_.freed_.notify_one();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  static Error busy() {
    Error error =
        unavailable("Too many sign-ins at once", "the queue for password hashing is full");
    error.headers.emplace_back("Retry-After", "1");
    return error;
  }

  HashGate& gate_;
};

HashGate::HashGate(HashLimits limits)
    : free_(limits.at_once),
      most_waiting_(limits.most_waiting),
      nobody_(make_hash(Secret(random_text(shortest)))) {
  if (free_ == 0) free_ = std::max(2U, std::thread::hardware_concurrency()) - 1;
}

std::string HashGate::hash(const Secret& password) {
  const Turn turn(*this);
  return make_hash(password);
}

bool HashGate::verify(const std::string& hash, const Secret& password) {
  const Turn turn(*this);
  const std::string& plain = password.reveal();
  const std::string& known = hash.empty() ? nobody_ : hash;
  const bool right = crypto_pwhash_str_verify(known.c_str(), plain.data(), plain.size()) == 0;
  return right && !hash.empty();
}

bool HashGate::needs_rehash(const std::string& hash) {
  return crypto_pwhash_str_needs_rehash(hash.c_str(), passes, memory) != 0;
}

}  // namespace mp
