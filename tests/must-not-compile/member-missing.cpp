// Expected: every member is declared exactly once
#include "model/shape.hpp"

struct Thing {
  int first = 0;
  int second = 0;
};

inline constexpr std::array fields{
    mp::field<&Thing::first>("first", "The first."),
};
inline constexpr mp::Description description = mp::part<Thing>("thing", "A thing.", fields);
