#include "access/limiter.hpp"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <mutex>
#include <utility>
#include <vector>

namespace mp {
namespace {

// Slots from a key's home in which it can lie. Long enough for a table to be two thirds full.
constexpr std::size_t reach = 128;
constexpr std::size_t first_slots = reach;  // of a shard

struct Slot {
  std::uint64_t tag = 0;  // 0: never used
  std::int64_t end = 0;   // of the window, milliseconds since 1970
  std::uint32_t used = 0;

  bool is_open(std::int64_t now) const { return tag != 0 && end > now; }
};
static_assert(sizeof(Slot) == 24);

}  // namespace

struct alignas(64) Limiter::Shard {
  mutable std::mutex mutex;
  std::vector<Slot> slots = std::vector<Slot>(first_slots);
  std::size_t most = first_slots;
  // What keys that were pushed out may have used at most, and until when that counts.
  std::uint32_t floor = 0;
  std::int64_t floor_end = 0;

  std::uint32_t floor_at(std::int64_t now) const { return floor_end > now ? floor : 0; }
  Slot& at(std::uint64_t tag, std::size_t step) { return slots[(tag + step) & (slots.size() - 1)]; }
  Slot* find(std::uint64_t tag);
  Slot* vacant(std::uint64_t tag, std::int64_t now);
  Slot& make_room(std::uint64_t tag, std::int64_t now);
  void rebuild(std::size_t size, std::int64_t now);
  void push_out(Slot& slot, std::int64_t now);
};

// A slot that was used stays so until the next rebuild: one that never was ends the search.
Slot* Limiter::Shard::find(std::uint64_t tag) {
  for (std::size_t step = 0; step < reach; ++step) {
    Slot& slot = at(tag, step);
    if (slot.tag == tag) return &slot;
    if (slot.tag == 0) return nullptr;
  }
  return nullptr;
}

Slot* Limiter::Shard::vacant(std::uint64_t tag, std::int64_t now) {
  for (std::size_t step = 0; step < reach; ++step) {
    if (Slot& slot = at(tag, step); !slot.is_open(now)) return &slot;
  }
  return nullptr;
}

Slot& Limiter::Shard::make_room(std::uint64_t tag, std::int64_t now) {
  while (true) {
    if (Slot* slot = vacant(tag, now)) return *slot;
    if (slots.size() >= most) break;
    rebuild(slots.size() * 2, now);
  }
  Slot* least = &at(tag, 0);
  for (std::size_t step = 1; step < reach; ++step) {
    Slot& slot = at(tag, step);
    if (std::pair(slot.used, slot.end) < std::pair(least->used, least->end)) least = &slot;
  }
  push_out(*least, now);
  return *least;
}

void Limiter::Shard::rebuild(std::size_t size, std::int64_t now) {
  const std::vector<Slot> old = std::exchange(slots, std::vector<Slot>(size));
  for (Slot slot : old) {
    if (!slot.is_open(now)) continue;
    if (Slot* place = vacant(slot.tag, now))
      *place = slot;
    else
      push_out(slot, now);
  }
}

void Limiter::Shard::push_out(Slot& slot, std::int64_t now) {
  floor = std::max(floor_at(now), slot.used);
  floor_end = std::max(floor_end, slot.end);
}

Limiter::Limiter(Quota quota, std::size_t most_keys)
    : quota_(quota), shards_(std::make_unique<Shard[]>(shard_count)) {
  randombytes_buf(secret_.data(), secret_.size());
  const std::size_t most = std::bit_ceil(std::max(most_keys / shard_count, first_slots));
  for (std::size_t at = 0; at < shard_count; ++at) shards_[at].most = most;
}

Limiter::~Limiter() = default;

std::uint64_t Limiter::tag_of(std::string_view key) const {
  static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);
  std::array<unsigned char, 8> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                   secret_.data());
  const auto tag = std::bit_cast<std::uint64_t>(hash);
  return tag == 0 ? 1 : tag;
}

// By bits that do not choose the slot.
Limiter::Shard& Limiter::shard_of(std::uint64_t tag) const {
  return shards_[(tag >> 48) % shard_count];
}

Verdict Limiter::take(std::string_view key, Time now) {
  const std::int64_t moment = to_milliseconds(now);
  const std::int64_t end = to_milliseconds(now + quota_.window);
  const std::uint64_t tag = tag_of(key);
  Shard& shard = shard_of(tag);
  const std::lock_guard lock(shard.mutex);
  Slot* slot = shard.find(tag);
  if (!slot) {
    if (shard.floor_at(moment) >= quota_.requests)
      return refusal(from_milliseconds(shard.floor_end));
    slot = &shard.make_room(tag, moment);
    *slot = {tag, end, shard.floor_at(moment)};
  } else if (!slot->is_open(moment)) {
    *slot = {tag, end, 0};
  }
  if (slot->used >= quota_.requests) return refusal(from_milliseconds(slot->end));
  ++slot->used;
  return {true, quota_.requests, quota_.requests - slot->used, from_milliseconds(slot->end)};
}

std::optional<Verdict> Limiter::refused(std::string_view key, Time now) {
  const std::uint64_t tag = tag_of(key);
  Shard& shard = shard_of(tag);
  const std::lock_guard lock(shard.mutex);
  const Slot* slot = shard.find(tag);
  if (!slot || !slot->is_open(to_milliseconds(now)) || slot->used < quota_.requests)
    return std::nullopt;
  return refusal(from_milliseconds(slot->end));
}

void Limiter::close(std::string_view key, Time until, Time now) {
  const std::uint64_t tag = tag_of(key);
  Shard& shard = shard_of(tag);
  const std::lock_guard lock(shard.mutex);
  Slot* slot = shard.find(tag);
  if (!slot) slot = &shard.make_room(tag, to_milliseconds(now));
  *slot = {tag, to_milliseconds(until), static_cast<std::uint32_t>(quota_.requests)};
}

std::size_t Limiter::live(Time now) const {
  std::size_t count = 0;
  for (std::size_t at = 0; at < shard_count; ++at) {
    const std::lock_guard lock(shards_[at].mutex);
    count += static_cast<std::size_t>(std::ranges::count_if(
        shards_[at].slots, [&](const Slot& slot) { return slot.is_open(to_milliseconds(now)); }));
  }
  return count;
}

std::size_t Limiter::bytes() const {
  std::size_t sum = sizeof(Shard) * shard_count;
  for (std::size_t at = 0; at < shard_count; ++at) {
    const std::lock_guard lock(shards_[at].mutex);
    sum += shards_[at].slots.size() * sizeof(Slot);
  }
  return sum;
}

}  // namespace mp
