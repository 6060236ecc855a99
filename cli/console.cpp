#include "cli/console.hpp"

#include "cli/failure.hpp"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace mp::cli {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && value[0] != '\0';
}

std::string_view code_of(Tone tone) {
  switch (tone) {
    case Tone::Good: return "32";
    case Tone::Bad: return "31";
    case Tone::Warning: return "33";
    case Tone::Faint: return "2";
    case Tone::Bold: return "1";
    case Tone::Plain: break;
  }
  return {};
}

constexpr char interrupt = 3;  // what Ctrl-C sends

// Off while it lives, also when an exception ends the question. Ctrl-C ends the line instead of the
// program, which would leave the terminal without an echo.
class EchoOff {
 public:
  EchoOff() {
    known_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!known_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    quiet.c_cc[VEOL] = interrupt;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~EchoOff() {
    if (known_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  termios before_{};
  bool known_ = false;
};

}  // namespace

Console::Console()
    : colour_(::isatty(STDOUT_FILENO) != 0 && !is_set("NO_COLOR") &&
              std::string_view(is_set("TERM") ? std::getenv("TERM") : "") != "dumb"),
      interactive_(::isatty(STDIN_FILENO) != 0 && ::isatty(STDERR_FILENO) != 0),
      progress_(::isatty(STDERR_FILENO) != 0) {}

void Console::print(std::string_view text) {
  progress("");
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if ((whole && std::fflush(stdout) == 0) || errno == EPIPE) return;  // `| head` has seen enough
  throw Failure(Exit::Usage, std::string("standard output: ") + std::strerror(errno));
}

void Console::note(std::string_view line) {
  progress("");
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

void Console::progress(std::string_view line) {
  if (!progress_ || (line.empty() && !in_progress_)) return;
  std::fprintf(stderr, "\r\033[K%.*s", static_cast<int>(line.size()), line.data());
  std::fflush(stderr);
  in_progress_ = !line.empty();
}

std::string Console::tinted(std::string_view text, Tone tone) const {
  const auto code = code_of(tone);
  if (!colour_ || code.empty()) return std::string(text);
  return "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m";
}

std::string Console::line_of_input() {
  std::string line;
  for (int letter = std::getchar(); letter != '\n'; letter = std::getchar()) {
    if (letter == EOF && line.empty()) throw wrong_usage("standard input has ended");
    if (letter == EOF) break;
    if (letter == interrupt) throw wrong_usage("interrupted");
    line += static_cast<char>(letter);
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::string Console::ask(const std::string& question) {
  if (!interactive_) throw wrong_usage("nobody can be asked for the " + question);
  std::fprintf(stderr, "%s: ", question.c_str());
  return line_of_input();
}

bool Console::agrees(const std::string& question) {
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  const std::string answer = line_of_input();
  return answer == "y" || answer == "yes";
}

Secret Console::secret(const std::string& name) {
  if (!interactive_) return Secret(line_of_input());
  std::string line;
  {
    const EchoOff quiet;
    std::fprintf(stderr, "%s: ", name.c_str());
    line = line_of_input();
  }
  std::fputc('\n', stderr);
  return Secret(std::move(line));
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

}  // namespace mp::cli
