// Expected: a field needs a name
#include "model/shape.hpp"

struct Thing {
  int first = 0;
  int second = 0;
};

inline constexpr mp::Field only = mp::field<&Thing::first>("", "The first.");
