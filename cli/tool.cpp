#include "cli/tool.hpp"

#include "base/utf8.hpp"
#include "cli/files.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <thread>

namespace mp::cli {

Tool::Tool() : contexts(default_folder()) {}

Form Tool::form() const {
  const auto found = std::ranges::find(form_names, std::string_view(globals.output));
  return static_cast<Form>(found - form_names.begin());
}

std::optional<Context> Tool::context() const {
  ContextFile kept = contexts.load();
  const std::string& name = globals.context.empty() ? kept.current : globals.context;
  Context* found = kept.find(name);
  if (!found && !globals.context.empty())
    throw wrong_usage("there is no context " + one_line(name) + "; marchctl contexts lists them");
  return found ? std::optional(*found) : std::nullopt;
}

Server Tool::server_of(const std::optional<Context>& kept) const {
  Server found{globals.server.empty() ? (kept ? kept->server : "") : checked_server(globals.server),
               globals.ca_file};
  if (found.address.empty())
    throw wrong_usage(
        "no server: sign in with marchctl login --server URL, or set "
        "MARCHPROXY_SERVER and MARCHPROXY_TOKEN");
  if (kept && kept->server == found.address && found.ca_file.empty()) found.ca_file = kept->ca_file;
  return found;
}

// A token goes to the server that it was made by, or that it was given together with.
Account Tool::find_account() {
  if (!globals.token_file.empty()) globals.token = secret_of_file(globals.token_file).reveal();
  const bool complete = !globals.server.empty() && !globals.token.empty();
  const auto kept = complete ? std::nullopt : context();
  const auto [server, ca_file] = server_of(kept);
  ca_file_ = ca_file;
  if (!globals.token.empty()) {
    if (globals.token.find_first_of(" \r\n\t") != std::string::npos)
      throw wrong_usage("--token: must be one word");
    return {.server = server, .access_token = Secret(globals.token)};
  }
  if (!kept || kept->server != server || kept->refresh_token.empty())
    throw wrong_usage("nobody is signed in to " + server +
                      ": use marchctl login, or set "
                      "MARCHPROXY_TOKEN");
  used_ = kept;
  return {.server = server,
          .access_token = kept->access_token,
          .access_until = kept->access_until,
          .refresh_token = kept->refresh_token};
}

Outside Tool::outside(Transport& transport, std::function<void(const Account&)> renewed) {
  return {.transport = transport,
          .clock = clock,
          .pause = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); },
          .note = [this](const std::string& line) { console.note("marchctl: " + line); },
          .renewed = std::move(renewed)};
}

Client& Tool::client() {
  if (client_) return *client_;
  Account account = find_account();
  transports_.push_back(make_transport(ca_file_));
  const auto keep = [this](const Account& renewed) {
    contexts.update([&](ContextFile& kept) {
      Context* mine = used_ ? kept.find(used_->name) : nullptr;
      // Somebody may have signed in anew, or out, meanwhile.
      if (!mine || !(mine->refresh_token == renewed.refresh_token)) return;
      mine->access_token = renewed.access_token;
      mine->access_until = renewed.access_until;
    });
  };
  client_ = std::make_unique<Client>(outside(*transports_.back(), keep), std::move(account),
                                     std::chrono::seconds(globals.retry_for));
  return *client_;
}

Client Tool::visitor() {
  const Server meant = server_of(context());
  return stranger(meant.address, meant.ca_file);
}

Client Tool::stranger(const std::string& server, const std::string& ca_file) {
  transports_.push_back(make_transport(ca_file));
  return {outside(*transports_.back(), [](const Account&) {}), Account{.server = server},
          std::chrono::seconds(globals.retry_for)};
}

void Tool::remember(std::int64_t revision) {
  if (!used_ || revision <= used_->last_revision) return;
  used_->last_revision = revision;
  contexts.update([&](ContextFile& kept) {
    if (Context* mine = kept.find(used_->name))
      mine->last_revision = std::max(mine->last_revision, revision);
  });
}

std::string checked_server(std::string server) {
  while (server.ends_with('/')) server.pop_back();
  const auto url = boost::urls::parse_uri(server);
  const bool sound = url && (url->scheme() == "http" || url->scheme() == "https") &&
                     !url->host().empty() && !url->has_userinfo() && !url->has_query() &&
                     !url->has_fragment();
  if (!sound) throw wrong_usage("--server: must look like https://host:8000");
  return server;
}

}  // namespace mp::cli
