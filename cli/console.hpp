// Standard output and error, and the person at the terminal: colours, questions, secrets that are
// typed without an echo or come from standard input.
#pragma once

#include "base/secret.hpp"

#include <string>
#include <string_view>

namespace mp::cli {

enum class Tone { Plain, Good, Bad, Warning, Faint, Bold };

class Console {
 public:
  Console();

  void print(std::string_view text);  // standard output, as it is
  void note(std::string_view line);   // standard error, with a line end
  // Replaces the last progress; only on a terminal. An empty one ends it.
  void progress(std::string_view line);

  // `text` in colour when standard output is a terminal and NO_COLOR is not set.
  std::string tinted(std::string_view text, Tone tone) const;
  bool is_interactive() const { return interactive_; }  // somebody can be asked

  std::string ask(const std::string& question);
  bool agrees(const std::string& question);  // only "y" and "yes" do
  // Asked for without an echo, or a line of standard input. Throws Failure (Usage) at its end.
  Secret secret(const std::string& name);

 private:
  std::string line_of_input();
  bool colour_;
  bool interactive_;
  bool progress_;
  bool in_progress_ = false;
};

// Columns that text takes on a terminal: one for each code point.
std::size_t width_of(std::string_view text);

}  // namespace mp::cli
