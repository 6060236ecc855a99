// Looking into JSON from outside, where anything may be missing: paths such as "config.state".
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace mp::cli {

// A value or an object, without a copy of it: what is found lives as long as that.
class Place {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): either may stand where a place is wanted
  Place(const boost::json::value& value) : value_(&value) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Place(const boost::json::object& object) : object_(&object) {}
  // nullptr when it is no object.
  const boost::json::object* object() const { return object_ ? object_ : value_->if_object(); }
  // nullptr when there is no such member, and for an object itself.
  const boost::json::value* find(std::string_view path) const;

 private:
  const boost::json::value* value_ = nullptr;
  const boost::json::object* object_ = nullptr;
};

// "", 0, false, or an empty list or object unless there is one of that type.
std::string text_at(Place place, std::string_view path);
std::int64_t number_at(Place place, std::string_view path);
bool flag_at(Place place, std::string_view path);
const boost::json::array& list_at(Place place, std::string_view path);
const boost::json::object& object_at(Place place, std::string_view path);  // "": itself

// A scalar as people write it: 150.5, where the JSON library writes 1.505E2.
std::string number_text(const boost::json::value& value);

}  // namespace mp::cli
