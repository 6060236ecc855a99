// Memory that is worked on next, fetched while something else is: for walks over thousands of
// objects that no cache holds.
#pragma once

#include <cstddef>

namespace mp {

template <class T>
void prefetch(const T* object) {
  const auto* bytes = reinterpret_cast<const char*>(object);
  for (std::size_t at = 0; at < sizeof(T); at += 64) __builtin_prefetch(bytes + at, 1);
}

// Does the step on what each pointer of the list leads to, in order.
template <class List, class Step>
void walk(const List& pointers, Step step) {
  for (std::size_t at = 0; at < pointers.size(); ++at) {
    if (at + 1 < pointers.size()) prefetch(&*pointers[at + 1]);
    step(*pointers[at]);
  }
}

}  // namespace mp
