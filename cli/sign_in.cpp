// marchctl login, logout, contexts and use.
#include "base/utf8.hpp"
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/look.hpp"
#include "cli/table.hpp"
#include "cli/yaml.hpp"

#include <boost/json.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace mp::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view first_context = "default";

struct Given {
  std::string username;
  std::string totp_code;
  bool password_stdin = false;
};

bool is_loopback(const std::string& server) {
  const auto url = boost::urls::parse_uri(server);
  if (!url) return false;
  const std::string host = url->host();
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

json::value attempt(Client& client, const std::string& username, const Secret& password,
                    const std::string& code) {
  json::object body{{"username", username}, {"password", password.reveal()}};
  if (!code.empty()) body["totp_code"] = code;
  return client.call({.method = "POST", .path = "/auth/login", .body = body}).data;
}

// Asks for the second factor when the server wants one and somebody is there.
json::value sign_in(Tool& tool, Client& client, const Given& given, const Secret& password) {
  try {
    return attempt(client, given.username, password, given.totp_code);
  } catch (const Refused& refusal) {
    if (!flag_at(refusal.error, "details.totp_required")) throw;
    if (!given.totp_code.empty()) throw;
    if (!tool.console.is_interactive())
      throw Failure(Exit::Refused, "a second factor is needed: give --totp-code");
  }
  return attempt(client, given.username, password, tool.console.secret("Code").reveal());
}

void keep(Tool& tool, const Context& fresh) {
  tool.contexts.update([&](ContextFile& kept) {
    if (Context* old = kept.find(fresh.name))
      *old = fresh;
    else
      kept.contexts.push_back(fresh);
    kept.current = fresh.name;
  });
}

std::string context_name(const Tool& tool) {
  if (!tool.globals.context.empty()) return tool.globals.context;
  const std::string current = tool.contexts.load().current;
  return current.empty() ? std::string(first_context) : current;
}

Exit login(Tool& tool, Given given) {
  ContextFile kept = tool.contexts.load();
  const std::string name = context_name(tool);
  const Context* before = kept.find(name);
  if (tool.globals.server.empty() && !before)
    throw wrong_usage("--server (or MARCHPROXY_SERVER) is required for the first sign-in");
  const std::string server =
      tool.globals.server.empty() ? before->server : checked_server(tool.globals.server);
  std::string ca_file = tool.globals.ca_file;
  if (ca_file.empty() && before && before->server == server) ca_file = before->ca_file;
  if (!ca_file.empty()) ca_file = std::filesystem::absolute(ca_file).string();
  if (server.starts_with("http://") && !is_loopback(server))
    tool.console.note("marchctl: the password goes to " + server + " unencrypted");
  if (given.username.empty()) given.username = tool.console.ask("Username");
  if (!given.password_stdin && !tool.console.is_interactive())
    throw wrong_usage("nobody can be asked for the password: give --password-stdin");
  const Secret password = tool.console.secret("Password");
  if (password.empty()) throw wrong_usage("the password is empty");
  Client client = tool.stranger(server, ca_file);
  const json::value data = sign_in(tool, client, given, password);
  const std::string username = text_at(data, "user.username");
  keep(tool,
       {.name = name,
        .server = server,
        .ca_file = ca_file,
        .username = username,
        .access_token = Secret(text_at(data, "access_token")),
        .access_until = tool.clock.now() + std::chrono::seconds(number_at(data, "expires_in")),
        .refresh_token = Secret(text_at(data, "refresh_token")),
        .last_revision = before && before->server == server ? before->last_revision : 0});
  tool.console.print("signed in to " + server + " as " + one_line(username) + "\n");
  return Exit::Fine;
}

// The tokens go in any case; the server hears of it when it can.
Exit logout(Tool& tool) {
  const auto context = tool.context();
  if (!context || context->refresh_token.empty()) throw wrong_usage("nobody is signed in");
  tool.globals.server = context->server;
  tool.globals.token.clear();
  tool.globals.token_file.clear();
  std::string trouble;
  try {
    tool.client().call({.method = "POST", .path = "/auth/logout"});
  } catch (const Failure& failure) {
    trouble = failure.what();
  }
  tool.contexts.update([&](ContextFile& kept) {
    Context* mine = kept.find(context->name);
    if (!mine) return;
    mine->access_token = Secret();
    mine->access_until.reset();
    mine->refresh_token = Secret();
  });
  tool.console.print("signed out of " + context->server + "\n");
  if (!trouble.empty())
    tool.console.note("marchctl: the session may live on at the server: " + trouble);
  return Exit::Fine;
}

json::object public_part(const Context& context, const std::string& current) {
  return {{"name", context.name},
          {"current", context.name == current},
          {"server", context.server},
          {"username",
           context.refresh_token.empty() ? json::value(nullptr) : json::value(context.username)}};
}

Exit show_contexts(Tool& tool) {
  const ContextFile kept = tool.contexts.load();
  json::array all;
  Table table({"CURRENT", "NAME", "SERVER", "USERNAME"});
  std::string names;
  for (const Context& each : kept.contexts) {
    all.push_back(public_part(each, kept.current));
    names += each.name + "\n";
    table.add({{each.name == kept.current ? "*" : ""},
               {each.name},
               {each.server},
               {each.refresh_token.empty() ? "-" : each.username}});
  }
  switch (tool.form()) {
    case Form::Json: tool.console.print(pretty_json(all) + "\n"); break;
    case Form::Yaml: tool.console.print(yaml_text(all)); break;
    case Form::Name: tool.console.print(names); break;
    default:
      if (table.empty()) tool.console.note("no contexts: sign in with marchctl login");
      if (!table.empty()) tool.console.print(table.text(tool.console));
  }
  return Exit::Fine;
}

Exit use_context(Tool& tool, const std::string& name) {
  tool.contexts.update([&](ContextFile& kept) {
    if (!kept.find(name)) throw wrong_usage("there is no context " + one_line(name));
    kept.current = name;
  });
  tool.console.print("using " + name + "\n");
  return Exit::Fine;
}

void add_login(CLI::App& root, Tool& tool) {
  CLI::App& command = add_command(
      root, "login",
      "Sign in and keep the tokens, which are renewed by themselves until they end after a week. "
      "The password is asked for, or read from standard input; it is never an argument.",
      {"login --server https://manager.example:8000 --username admin",
       "login --server https://manager.example:8000 --username ci --password-stdin < password.txt",
       "login --context staging --server https://staging.example:8000"});
  command.group("Signing in");
  auto given = std::make_shared<Given>();
  command
      .add_option("--username", given->username,
                  "User name or e-mail address; asked for unless given")
      ->type_name("TEXT");
  command.add_flag("--password-stdin", given->password_stdin,
                   "Read the password from standard input, for use without a terminal");
  command.add_option("--totp-code", given->totp_code, "Second factor; asked for when it is needed")
      ->type_name("TEXT");
  command.callback(
      [&tool, given] { tool.chosen = [&tool, given] { return login(tool, *given); }; });
}

}  // namespace

void add_sign_in(CLI::App& root, Tool& tool) {
  add_login(root, tool);
  CLI::App& out = add_command(root, "logout", "End the session and forget its tokens.", {"logout"});
  CLI::App& list = add_command(root, "contexts", "List the servers that were signed in to.",
                               {"contexts", "contexts -o name"});
  CLI::App& use =
      add_command(root, "use", "Choose the context that later commands use.", {"use staging"});
  for (CLI::App* command : {&out, &list, &use}) command->group("Signing in");
  out.callback([&tool] { tool.chosen = [&tool] { return logout(tool); }; });
  list.callback([&tool] { tool.chosen = [&tool] { return show_contexts(tool); }; });
  auto name = std::make_shared<std::string>();
  use.add_option("CONTEXT", *name, "Name of the context.")->required()->type_name("");
  use.callback([&tool, name] { tool.chosen = [&tool, name] { return use_context(tool, *name); }; });
}

}  // namespace mp::cli
