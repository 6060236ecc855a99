// A list that copies share until one of them is changed: thousands of streams are sent the same
// resources at the same moment, and each remembers what it was sent. Copies may be read by any
// thread. Used by batch, difference, discovery and lane.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace mp::xds {

template <class T>
class SharedList {
 public:
  using const_iterator = typename std::vector<T>::const_iterator;
  using iterator = const_iterator;
  using value_type = T;

  SharedList() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a list stands where a shared one is wanted
  SharedList(std::vector<T> items)
      : items_(items.empty() ? nullptr : std::make_shared<const std::vector<T>>(std::move(items))) {
  }
  SharedList(std::initializer_list<T> items) : SharedList(std::vector<T>(items)) {}

  const std::vector<T>& items() const {
    static const std::vector<T> none;
    return items_ ? *items_ : none;
  }
  const_iterator begin() const { return items().begin(); }
  const_iterator end() const { return items().end(); }
  std::size_t size() const { return items().size(); }
  bool empty() const { return items().empty(); }
  const T& front() const { return items().front(); }
  const T& at(std::size_t place) const { return items().at(place); }
  const T& operator[](std::size_t place) const { return items()[place]; }

  // Items of its own from now on, copied each time: who else had the old ones cannot be told
  // without a lock.
  std::vector<T>& edit() {
    auto own = std::make_shared<std::vector<T>>(items());
    items_ = own;
    return *own;
  }

  // Costs nothing when they are shared.
  bool operator==(const SharedList& other) const {
    return items_ == other.items_ || items() == other.items();
  }

 private:
  std::shared_ptr<const std::vector<T>> items_;  // null: none
};

}  // namespace mp::xds
