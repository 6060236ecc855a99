#include "access/keys.hpp"

#include "base/outside.hpp"

#include <boost/crc.hpp>

#include <array>
#include <optional>

namespace mp {
namespace {

constexpr std::size_t key_letters = 43;  // at 5.95 bits each: 256 bits
constexpr std::size_t shown_letters = 15;

std::optional<std::string> find_sealed(Store& store, const std::string& name) {
  std::optional<std::string> sealed;
  store.read([&](Reader& db) {
    const auto rows =
        db.query("SELECT value FROM meta WHERE key = :key", {{"key", name}}, {Column::Text});
    if (!rows.empty()) sealed = std::get<std::string>(rows.front().front());
  });
  return sealed;
}

constexpr std::string_view api_key_prefix = "mp_api_";
constexpr std::size_t checksum_letters = 6;  // of base 62: all of CRC-32

// CRC-32 (ISO 3309), the low letters first.
std::string checksum(std::string_view text) {
  static constexpr std::string_view letters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  std::string sum;
  for (std::uint64_t rest = crc.checksum(); sum.size() < checksum_letters; rest /= letters.size())
    sum.push_back(letters[rest % letters.size()]);
  return sum;
}

}  // namespace

Secret new_api_key() {
  std::string key = std::string(api_key_prefix) + random_text(key_letters);
  key += checksum(key);
  return Secret(std::move(key));
}

bool is_api_key(std::string_view text) { return text.starts_with(api_key_prefix); }

bool is_sound_api_key(std::string_view text) {
  if (text.size() != api_key_prefix.size() + key_letters + checksum_letters) return false;
  const auto body = text.substr(0, text.size() - checksum_letters);
  return is_api_key(text) && checksum(body) == text.substr(body.size());
}

Secret new_cluster_key() { return Secret("mp_cluster_" + random_text(key_letters)); }

Secret new_service_secret() { return Secret(random_text(key_letters)); }

std::string mask_key(std::string_view key) {
  return std::string(key.substr(0, shown_letters)) + "...";
}

Secret load_or_create_key(Store& store, const std::string& name) {
  if (const auto sealed = find_sealed(store, name)) return Secret(store.unseal(*sealed));
  std::array<std::byte, 32> bytes{};
  random_bytes(bytes);
  const Secret key(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  const Actor manager{.user_id = std::nullopt, .name = "manager", .address = "", .request_id = ""};
  store.write(manager, [&](Writer& db) {
    db.execute("INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO NOTHING",
               {{"key", name}, {"value", store.seal(key.reveal())}});
  });
  // Another manager may have been first: what is stored counts.
  const auto sealed = find_sealed(store, name);
  if (!sealed) throw internal("the key " + name + " was written and is not there");
  return Secret(store.unseal(*sealed));
}

}  // namespace mp
