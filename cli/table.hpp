// Aligned columns for people, and cells made of JSON. Pure.
#pragma once

#include "cli/console.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace mp::cli {

struct Cell {
  std::string text;
  Tone tone = Tone::Plain;
};

class Table {
 public:
  explicit Table(std::vector<std::string> headers) : headers_(std::move(headers)) {}
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  // Two spaces between columns, none at a line's end. Colours as the console has them.
  std::string text(const Console& console) const;

 private:
  std::vector<std::string> headers_;
  std::vector<std::vector<Cell>> rows_;
};

// "-" for nothing, lists with commas, an object with a state as that state.
std::string cell_text(const boost::json::value& value);

// How a word about health or progress is coloured.
Tone tone_of(std::string_view state);

}  // namespace mp::cli
