// Input of endpoints that make what refers to other objects: a body whose breaches are told
// together with those that only the database shows. Beside api/endpoint, for the nouns that need
// it.
#pragma once

#include "api/endpoint.hpp"

#include <functional>

namespace mp::api {

template <class T>
struct Draft {
  T value{};
  Violations violations{};  // of the fields; a broken one's value says nothing
};

// Throws what does not even have fields.
Violations read_draft(Call& call, const Description& description, void* object);

// Whether the field, or a part of it, is broken.
bool is_broken(const Violations& violations, std::string_view field);
// Whether the field as a whole is: a list of too many items, a text where a list belongs.
bool is_broken_as_a_whole(const Violations& violations, std::string_view field);

// Throws the violations, if there are any.
void refuse(Violations violations);

// The same, after `look` has added what it finds in the database.
using Look = std::function<void(Reader&, Violations&)>;
void refuse_breaches(Call& call, const Violations& violations, const Look& look);

template <class T>
struct Input<Draft<T>> {
  static void declare(Endpoint& endpoint) { endpoint.body = &describe<T>; }
  static Draft<T> read(Call& call) {
    Draft<T> input;
    input.violations = read_draft(call, describe<T>, &input.value);
    return input;
  }
};

}  // namespace mp::api
