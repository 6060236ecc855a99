// Expected: nothing; the cases beside this one each differ from it in one place
#include "model/shape.hpp"

struct Thing {
  int first = 0;
  int second = 0;
};

inline constexpr std::array fields{
    mp::field<&Thing::first>("first", "The first."),
    mp::field<&Thing::second>("second", "The second.", {.min = 1, .max = 2}),
};
inline constexpr mp::Description description = mp::part<Thing>("thing", "A thing.", fields);
