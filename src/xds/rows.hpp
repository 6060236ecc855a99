// Immutable objects in the order of a key, in pages that copies share. A copy costs a pointer, a
// change remakes one page and the list of pages, and what differs between two is told from the
// pages they do not share: so that one edit among thousands costs what it touches. A value: copies
// may be read by any thread. Rows of a cluster's intent and resources of a snapshot are kept in it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mp::xds {

template <class T, auto Key>
class Rows {
 public:
  using Row = std::shared_ptr<const T>;
  using OwnKey = std::remove_cvref_t<decltype(std::declval<const T&>().*Key)>;
  // What to look for.
  using Sought = std::conditional_t<std::is_same_v<OwnKey, std::string>, std::string_view, OwnKey>;
  // By key: what stands there from now on; null: nothing.
  using Changes = std::map<OwnKey, Row, std::less<>>;
  // Added (no `before`), replaced, or removed (no `after`).
  struct Change {
    Row before;
    Row after;
    const OwnKey& key() const { return (*(after ? after : before)).*Key; }
  };

 private:
  using Page = std::vector<Row>;  // 1 to most_in_page rows, shared and never changed
  using PagePtr = std::shared_ptr<const Page>;
  using Table = std::vector<PagePtr>;

 public:
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = Row;
    using difference_type = std::ptrdiff_t;
    using pointer = const Row*;
    using reference = const Row&;

    Iterator() = default;
    reference operator*() const { return (**page_)[at_]; }
    pointer operator->() const { return &**this; }
    Iterator& operator++() {
      if (++at_ == (*page_)->size()) ++page_, at_ = 0;
      return *this;
    }
    Iterator operator++(int) { return std::exchange(*this, std::next(*this)); }
    bool operator==(const Iterator&) const = default;

   private:
    friend class Rows;
    Iterator(const PagePtr* page, std::size_t at) : page_(page), at_(at) {}
    const PagePtr* page_ = nullptr;
    std::size_t at_ = 0;
  };
  using iterator = Iterator;
  using const_iterator = Iterator;
  using value_type = Row;
  using size_type = std::size_t;

  Rows() = default;
  // In any order; of equal keys the last one counts.
  // NOLINTNEXTLINE(google-explicit-constructor): a list of rows stands where a table is wanted
  Rows(const std::vector<Row>& rows) {
    Changes all;
    for (const Row& row : rows) all[key_of(row)] = row;
    take(all);
  }

  Iterator begin() const { return {pages(), 0}; }
  Iterator end() const { return {pages() + page_count(), 0}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Costs a walk over the pages.
  const Row& operator[](std::size_t at) const {
    const PagePtr* page = pages();
    while (at >= (*page)->size()) at -= (*page++)->size();
    return (**page)[at];
  }

  // The row of that key, or null.
  Row find(Sought key) const {
    const PagePtr* page = page_of(key);
    if (page == pages() + page_count()) return nullptr;
    const auto at = place_in(**page, key);
    return at != (*page)->end() && key_of(*at) == key ? *at : nullptr;
  }

  void put(Row row) { take({{key_of(row), std::move(row)}}); }
  void erase(Sought key) { take({{OwnKey(key), nullptr}}); }
  void clear() { *this = Rows(); }

  // All of them at once.
  void take(const Changes& changes) {
    if (changes.empty()) return;
    Table next;
    std::size_t size = size_;
    next.reserve(page_count() + 2 + changes.size() / (most_in_page / 2));
    const PagePtr* page = pages();
    const PagePtr* const last = pages() + page_count();
    for (auto change = changes.begin(); change != changes.end();) {
      const PagePtr* const target = page_of(change->first, page);
      next.insert(next.end(), page, target);
      page = target == last ? last : target + 1;
      const auto stop = page == last ? changes.end() : changes.lower_bound(first_of(*page));
      const Page& old = target == last ? none() : **target;
      Page merged = merge(old, change, stop);
      size -= old.size();
      if (merged.size() < fewest_in_page && page != last) {
        const auto also = page + 1 == last ? changes.end() : changes.lower_bound(first_of(page[1]));
        size -= (*page)->size();
        const Page other = merge(**page++, stop, also);
        merged.insert(merged.end(), other.begin(), other.end());
        change = also;
      } else {
        change = stop;
      }
      size += merged.size();
      cut(next, merged);
    }
    next.insert(next.end(), page, last);
    table_ = next.empty() ? nullptr : std::make_shared<const Table>(std::move(next));
    size_ = size;
  }

  // The same pages: certainly the same rows. Costs nothing.
  bool is(const Rows& other) const { return table_ == other.table_; }
  // The same objects.
  bool operator==(const Rows& other) const {
    return is(other) || (size_ == other.size_ && std::equal(begin(), end(), other.begin()));
  }

  // What turns `from` into `to`, by key.
  static std::vector<Change> difference(const Rows& from, const Rows& to) {
    std::vector<Change> changes;
    if (from.is(to)) return changes;
    const auto [before, after] = unshared(from, to);
    auto old = before.begin(), fresh = after.begin();
    while (old != before.end() || fresh != after.end()) {
      if (old == before.end() || (fresh != after.end() && key_of(*fresh) < key_of(*old))) {
        changes.push_back({nullptr, *fresh++});
      } else if (fresh == after.end() || key_of(*old) < key_of(*fresh)) {
        changes.push_back({*old++, nullptr});
      } else {
        if (*old != *fresh) changes.push_back({*old, *fresh});
        ++old, ++fresh;
      }
    }
    return changes;
  }

 private:
  static constexpr std::size_t most_in_page = 64;
  static constexpr std::size_t fewest_in_page = 8;

  static const Page& none() {
    static const Page page;
    return page;
  }
  static const OwnKey& key_of(const Row& row) { return (*row).*Key; }
  static const OwnKey& first_of(const PagePtr& page) { return key_of(page->front()); }

  const PagePtr* pages() const { return table_ ? table_->data() : nullptr; }
  std::size_t page_count() const { return table_ ? table_->size() : 0; }

  // The page, from `first` on, in which the key stands or would stand; the end without pages.
  const PagePtr* page_of(Sought key) const { return page_of(key, pages()); }
  const PagePtr* page_of(Sought key, const PagePtr* first) const {
    const PagePtr* const last = pages() + page_count();
    const PagePtr* after = std::upper_bound(
        first, last, key,
        [](Sought sought, const PagePtr& page) { return sought < first_of(page); });
    return after == first ? first : after - 1;
  }
  static typename Page::const_iterator place_in(const Page& page, Sought key) {
    return std::lower_bound(page.begin(), page.end(), key,
                            [](const Row& row, Sought sought) { return key_of(row) < sought; });
  }

  using ChangeAt = typename Changes::const_iterator;
  static Page merge(const Page& page, ChangeAt change, ChangeAt stop) {
    Page merged;
    merged.reserve(page.size() + 1);
    auto old = page.begin();
    for (; change != stop; ++change) {
      const auto place = std::lower_bound(
          old, page.end(), change->first,
          [](const Row& row, const OwnKey& sought) { return key_of(row) < sought; });
      merged.insert(merged.end(), old, place);
      const bool replaces = place != page.end() && key_of(*place) == change->first;
      old = replaces ? place + 1 : place;
      if (change->second) merged.push_back(change->second);
    }
    merged.insert(merged.end(), old, page.end());
    return merged;
  }

  // Into pages of about the same length.
  static void cut(Table& table, Page& rows) {
    const std::size_t count = (rows.size() + most_in_page - 1) / most_in_page;
    for (std::size_t n = 0; n < count; ++n) {
      const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() * n / count);
      const auto end = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() * (n + 1) / count);
      table.push_back(std::make_shared<const Page>(begin, end));
    }
  }

  // The rows of the pages that only one of the two has.
  static std::pair<Page, Page> unshared(const Rows& from, const Rows& to) {
    std::pair<Page, Page> result;
    const auto take = [](Page& rows, const PagePtr* page) {
      rows.insert(rows.end(), (*page)->begin(), (*page)->end());
    };
    const PagePtr *old = from.pages(), *fresh = to.pages();
    const PagePtr* const old_end = old + from.page_count();
    const PagePtr* const fresh_end = fresh + to.page_count();
    while (old != old_end && fresh != fresh_end) {
      if (*old == *fresh) {
        ++old, ++fresh;
      } else if (first_of(*old) < first_of(*fresh)) {
        take(result.first, old++);
      } else if (first_of(*fresh) < first_of(*old)) {
        take(result.second, fresh++);
      } else {
        take(result.first, old++);
        take(result.second, fresh++);
      }
    }
    while (old != old_end) take(result.first, old++);
    while (fresh != fresh_end) take(result.second, fresh++);
    return result;
  }

  std::shared_ptr<const Table> table_;  // null: no rows
  std::size_t size_ = 0;
};

}  // namespace mp::xds
