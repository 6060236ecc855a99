#include "script.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <regex>
#include <stdexcept>

namespace mp::test {

namespace json = boost::json;

namespace {

const std::string follows = "…";

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string unquoted(std::string text) {
  if (text.size() > 1 && text.front() == '"' && text.back() == '"')
    return text.substr(1, text.size() - 2);
  return text;
}

// `…` as JSON: a member or an item that says "others may follow".
std::string with_follows(const std::string& text) {
  std::string result;
  std::string open;
  bool in_text = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if (!in_text && text.compare(at, follows.size(), follows) == 0) {
      result += "\"" + follows + "\"" + (open.ends_with('{') ? ":true" : "");
      at += follows.size() - 1;
      continue;
    }
    if (letter == '"' && (at == 0 || text[at - 1] != '\\')) in_text = !in_text;
    if (!in_text && (letter == '{' || letter == '[')) open.push_back(letter);
    if (!in_text && (letter == '}' || letter == ']') && !open.empty()) open.pop_back();
    result.push_back(letter);
  }
  return result;
}

class Lines {
 public:
  explicit Lines(const std::filesystem::path& file) : name_(file.filename().string()) {
    std::ifstream input(file);
    if (!input) throw std::runtime_error(name_ + ": cannot be read");
    for (std::string line; std::getline(input, line);) lines_.push_back(line);
  }
  bool done() const { return next_ >= lines_.size(); }
  const std::string& look() const { return lines_[next_]; }
  std::string take() { return lines_[next_++]; }
  int number() const { return static_cast<int>(next_); }
  bool at_blank() const { return done() || trimmed(look()).empty(); }
  [[noreturn]] void refuse(const std::string& why) const {
    throw std::runtime_error(name_ + ":" + std::to_string(next_) + ": " + why);
  }

 private:
  std::string name_;
  std::vector<std::string> lines_;
  std::size_t next_ = 0;
};

std::optional<std::pair<std::string, std::string>> header_of(const std::string& line) {
  static const std::regex form("([A-Za-z][A-Za-z0-9-]*):\\s*(.*)");
  std::smatch parts;
  if (!std::regex_match(line, parts, form)) return std::nullopt;
  return std::pair(parts[1].str(), trimmed(parts[2].str()));
}

// part cert_file: file $shop_cert
std::optional<FormPart> part_of(const std::string& line) {
  static const std::regex form("part ([A-Za-z_]+):\\s*(file )?(.*)");
  std::smatch parts;
  if (!std::regex_match(line, parts, form)) return std::nullopt;
  return FormPart{
      .name = parts[1].str(), .is_file = parts[2].matched, .content = trimmed(parts[3].str())};
}

std::string name_in(const std::string& text, const std::regex& form, int group,
                    const Lines& lines) {
  std::smatch parts;
  if (!std::regex_match(text, parts, form)) lines.refuse("is not understood: " + text);
  return parts[static_cast<std::size_t>(group)].str();
}

std::chrono::seconds duration(const std::string& count, const std::string& unit) {
  const int seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 86400;
  return std::chrono::seconds(std::stoi(count) * seconds);
}

// licence "enterprise" for 30d with 5 proxies with 2 clusters
std::optional<GivenLicense> read_license(const std::string& text) {
  static const std::regex form(
      "licence \"(community|professional|enterprise)\"( for (\\d+)([smhd]))?"
      "( with (\\d+) proxies)?( with (\\d+) clusters)?");
  std::smatch parts;
  if (!std::regex_match(text, parts, form)) return std::nullopt;
  GivenLicense given;
  const auto& names = names_of<LicenseTier>;
  given.tier = static_cast<LicenseTier>(std::ranges::find(names, parts[1].str()) - names.begin());
  if (parts[2].matched) given.time = duration(parts[3].str(), parts[4].str());
  if (parts[5].matched) given.proxies = std::stoi(parts[6].str());
  if (parts[7].matched) given.clusters = std::stoi(parts[8].str());
  return given;
}

// licence server fails
LicenseServerMood read_mood(const std::string& line, const Lines& lines) {
  static const std::regex form("licence server (answers|fails|refuses|babbles)");
  const std::string mood = name_in(line, form, 1, lines);
  using Mood = LicenseServer::Mood;
  if (mood == "fails") return {Mood::Fails};
  if (mood == "refuses") return {Mood::Refuses};
  return {mood == "babbles" ? Mood::Babbles : Mood::Answers};
}

// given cluster "main"; user "olga" of cluster "main", "other"; admin "root"
void read_given(const std::string& line, const Lines& lines, std::vector<Step>& steps) {
  static const std::regex setting("setting ([a-z_.]+) \"([^\"]*)\"");
  static const std::regex cluster("cluster \"([^\"]+)\"");
  static const std::regex user(
      "(user|admin) \"([^\"]+)\"( of cluster (\"[^\"]+\"(, \"[^\"]+\")*))?");
  static const std::regex quoted("\"([^\"]+)\"");
  std::string rest = line.substr(6);
  while (!rest.empty()) {
    const std::string part = trimmed(rest.substr(0, rest.find(';')));
    rest = rest.find(';') == std::string::npos ? "" : rest.substr(rest.find(';') + 1);
    std::smatch parts;
    if (std::regex_match(part, parts, setting)) {
      steps.push_back({lines.number(), GivenSetting{parts[1].str(), parts[2].str()}});
      continue;
    }
    if (std::regex_match(part, parts, cluster)) {
      steps.push_back({lines.number(), GivenCluster{parts[1].str()}});
      continue;
    }
    if (auto certificate = read_given_certificate(part)) {
      steps.push_back({lines.number(), *std::move(certificate)});
      continue;
    }
    if (const auto license = read_license(part)) {
      steps.push_back({lines.number(), *license});
      continue;
    }
    if (!std::regex_match(part, parts, user)) lines.refuse("is not understood: " + part);
    GivenUser given{.name = parts[2].str(), .clusters = {}, .is_admin = parts[1].str() == "admin"};
    const std::string names = parts[4].str();
    for (std::sregex_iterator each(names.begin(), names.end(), quoted), end; each != end; ++each) {
      given.clusters.push_back((*each)[1].str());
    }
    steps.push_back({lines.number(), std::move(given)});
  }
}

Advance read_advance(const std::string& line, const Lines& lines) {
  static const std::regex form("advance (\\d+)([smhd])");
  return {duration(name_in(line, form, 1, lines), name_in(line, form, 2, lines))};
}

// totp code of $secret; totp late of $secret -30s
TotpCode read_totp(const std::string& line, const Lines& lines) {
  static const std::regex form("totp ([a-z_0-9]+) of (\\S+?)( ([+-]\\d+)s)?");
  const std::string away = name_in(line, form, 4, lines);
  return {.name = name_in(line, form, 1, lines),
          .secret = name_in(line, form, 2, lines),
          .away = std::chrono::seconds(away.empty() ? 0 : std::stoi(away))};
}

As read_caller(const std::string& text) {
  if (text.empty() || text == "nobody") return {};
  if (text.starts_with("cluster ")) return {As::Kind::Cluster, unquoted(text.substr(8))};
  if (text.starts_with("token ")) return {As::Kind::Token, text.substr(6)};
  return {As::Kind::User, text};
}

void read_request(Exchange& exchange, const std::string& first, Lines& lines) {
  static const std::regex form("([A-Z]+) (\\S+)(\\s+as (.+?))?(\\s+from (\\S+))?");
  std::smatch parts;
  if (!std::regex_match(first, parts, form)) lines.refuse("is no request: " + first);
  exchange.method = parts[1].str();
  exchange.target = parts[2].str();
  exchange.caller = read_caller(trimmed(parts[4].str()));
  exchange.address = parts[6].str();
  while (!lines.done() && !lines.look().starts_with("=>")) {
    const std::string line = lines.take();
    const auto header = exchange.body.empty() ? header_of(line) : std::nullopt;
    if (auto part = part_of(line))
      exchange.parts.push_back(*std::move(part));
    else if (header)
      exchange.headers.push_back(*header);
    else
      exchange.body += (exchange.body.empty() ? "" : "\n") + line;
  }
  if (lines.done()) lines.refuse("the answer (=>) is missing");
}

json::value read_body(std::string text, Lines& lines) {
  for (;;) {
    json::error_code error;
    json::value value = json::parse(with_follows(text), error);
    if (!error) return value;
    if (lines.at_blank()) lines.refuse("the expected JSON is broken: " + error.message());
    text += "\n" + lines.take();
  }
}

void read_expected_line(Expected& expected, const std::string& line, Lines& lines) {
  static const std::regex violation("violation (\\S+): (.+)");
  std::smatch parts;
  if (line.starts_with("{") || line.starts_with("[")) {
    expected.body = read_body(line, lines);
  } else if (std::regex_match(line, parts, violation)) {
    if (!expected.violations) expected.violations.emplace();
    expected.violations->push_back({parts[1].str(), parts[2].str()});
  } else if (line.starts_with("contains ")) {
    expected.contains.push_back(line.substr(9));
  } else if (line.starts_with("lacks ")) {
    expected.lacks.push_back(line.substr(6));
  } else if (line.starts_with("changes: ")) {
    if (!expected.changes) expected.changes.emplace();
    if (line != "changes: none") expected.changes->push_back(line.substr(9));
  } else if (const auto header = header_of(line)) {
    expected.headers.push_back(*header);
  } else {
    lines.refuse("is not understood: " + line);
  }
}

void read_answer(Expected& expected, Lines& lines) {
  static const std::regex form("=> (\\d{3})( ([A-Z_]+))?(\\s+([A-Za-z][A-Za-z0-9-]*: .*))?");
  const std::string first = lines.take();
  std::smatch parts;
  if (!std::regex_match(first, parts, form)) lines.refuse("is no answer: " + first);
  expected.status = std::stoi(parts[1].str());
  expected.code = parts[3].str();
  if (const auto header = header_of(parts[5].str())) expected.headers.push_back(*header);
  while (!lines.at_blank()) {
    const std::string line = trimmed(lines.take());
    if (!line.starts_with("#")) read_expected_line(expected, line, lines);
  }
}

}  // namespace

std::vector<Step> read_script(const std::filesystem::path& file) {
  Lines lines(file);
  std::vector<Step> steps;
  while (!lines.done()) {
    const std::string line = trimmed(lines.take());
    if (line.empty() || line.starts_with("#")) continue;
    if (line.starts_with("given ")) {
      read_given(line, lines, steps);
    } else if (line.starts_with("licence server ")) {
      steps.push_back({lines.number(), read_mood(line, lines)});
    } else if (line.starts_with("advance ")) {
      steps.push_back({lines.number(), read_advance(line, lines)});
    } else if (line == "restart") {
      steps.push_back({lines.number(), Restart{}});
    } else if (line.starts_with("totp ")) {
      steps.push_back({lines.number(), read_totp(line, lines)});
    } else {
      Step step{lines.number(), Exchange{}};
      auto& exchange = std::get<Exchange>(step.what);
      read_request(exchange, line, lines);
      read_answer(exchange.expected, lines);
      steps.push_back(std::move(step));
    }
  }
  return steps;
}

}  // namespace mp::test
