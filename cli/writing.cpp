// marchctl create, update and delete.
#include "base/utf8.hpp"
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/files.hpp"
#include "cli/flags.hpp"
#include "cli/form.hpp"
#include "cli/look.hpp"
#include "cli/names.hpp"
#include "cli/objects.hpp"
#include "cli/written.hpp"
#include "cli/yaml.hpp"

#include <boost/json.hpp>

namespace mp::cli {
namespace {

namespace json = boost::json;

// What the command line of one writing command says.
struct Given {
  std::unique_ptr<FieldFlags> flags;
  std::vector<std::string> references;
  std::string cluster;  // of the names
  std::string file;
  std::vector<std::string> unset;
  std::int64_t wait = 0;
};

// The output of `get` can be edited and handed back: what only the server sets is left out.
json::object body_of_file(const std::string& name, const Resource& resource) {
  const auto documents = read_documents(text_of_file(name), name == "-" ? "standard input" : name);
  if (documents.size() != 1 || !documents.front().value.is_object())
    throw wrong_usage(name + ": must hold one object; marchctl apply takes several");
  json::object body = documents.front().value.get_object();
  const std::string kind = text_at(body, "kind");
  if (!kind.empty() && kind != resource.file_kind())
    throw wrong_usage(name + ": is about " + with_article(one_line(kind)));
  body.erase("kind");
  return without_server_fields(*resource.noun, std::move(body));
}

// Members of `more` win, also inside of nested objects.
void merge(json::object& body, const json::object& more) {
  for (const auto& member : more) {
    auto* old = body.if_contains(member.key());
    if (old && old->is_object() && member.value().is_object())
      merge(old->get_object(), member.value().get_object());
    else
      body[member.key()] = member.value();
  }
}

// Parts that are no fields of the noun are files, which only a form has.
void set_body(Request& request, const Resource& resource, const json::object& body) {
  const Description* upload = resource.particulars.upload;
  const bool has_files =
      upload && std::ranges::any_of(body, [&](const auto& member) {
        return find_field(*upload, member.key()) && !find_field(*resource.noun, member.key());
      });
  const bool is_new = request.method == "POST";
  if (!upload || (!is_new && !has_files)) {
    if (upload) request.method = "PATCH";  // its PUT takes forms alone
    request.body = body;
    return;
  }
  if (!is_new) request.method = "PUT";
  FormData form = form_of(*upload, body);
  request.form = std::move(form.body);
  request.form_type = std::move(form.type);
}

Exit create(Tool& tool, const Resource& resource, const Given& given) {
  json::object body;
  if (!given.file.empty()) body = body_of_file(given.file, resource);
  merge(body, given.flags->body(tool.console));
  Client& client = tool.client();
  resolve_references(client, *resource.noun, body);
  default_cluster(client, resource, body);
  Request request{.method = "POST", .path = std::string(resource.path), .wait = given.wait};
  set_body(request, resource, body);
  const Answer answer = client.call(std::move(request));
  tool.remember(answer.revision);
  show_written(tool, resource, object_at(answer.data, ""), "created");
  return report_live(tool, answer, given.wait);
}

// null in a merge patch brings a field's default back.
void unset_fields(const Resource& resource, const std::vector<std::string>& names,
                  json::object& body) {
  for (std::string name : names) {
    std::ranges::replace(name, '-', '_');
    const Field* field = find_field(*resource.noun, name);
    if (!field || field->rules.mode != Mode::Normal)
      throw wrong_usage("--unset: " + one_line(name) + " is no field that can be changed");
    if (body.contains(name)) throw wrong_usage("--unset: " + name + " is set as well");
    body[name] = nullptr;
  }
}

// Flags are a merge patch. A file holds whole nested objects, as PUT takes them.
Exit update(Tool& tool, const Resource& resource, const Given& given) {
  json::object body;
  if (!given.file.empty()) body = body_of_file(given.file, resource);
  merge(body, given.flags->body(tool.console));
  if (!given.file.empty() && !given.unset.empty())
    throw wrong_usage("--unset: goes with flags, not with a file");
  unset_fields(resource, given.unset, body);
  if (body.empty()) throw wrong_usage("nothing to change: give a flag or a file");
  Client& client = tool.client();
  resolve_references(client, *resource.noun, body);
  const std::string id = find_id(client, resource, given.references.front(), given.cluster);
  Request request{.method = given.file.empty() ? "PATCH" : "PUT",
                  .path = path_of(resource, id),
                  .wait = given.wait};
  set_body(request, resource, body);
  const Answer answer = client.call(std::move(request));
  tool.remember(answer.revision);
  show_written(tool, resource, object_at(answer.data, ""), "changed");
  return report_live(tool, answer, given.wait);
}

Exit remove(Tool& tool, const Resource& resource, const Given& given) {
  Client& client = tool.client();
  std::vector<std::string> ids;
  for (const auto& reference : given.references)
    ids.push_back(find_id(client, resource, reference, given.cluster));
  QueryText query;
  if (given.flags) {
    for (const auto& member : given.flags->body(tool.console))
      query.emplace_back(member.key(), json::serialize(member.value()));
  }
  Exit exit = Exit::Fine;
  for (std::size_t at = 0; at < ids.size(); ++at) {
    const Answer answer =
        client.call({.method = "DELETE", .path = path_of(resource, ids[at]), .wait = given.wait});
    tool.remember(answer.revision);
    const std::string& name = given.references[at];
    const std::string number = name == ids[at] ? "" : " (" + ids[at] + ")";
    say(tool, resource.file_kind() + " " + one_line(name) + number + " deleted");
    const Exit live = report_live(tool, answer, given.wait);
    if (live != Exit::Fine) exit = live;
  }
  return exit;
}

const Description& parts_of(const Resource& resource) {
  return resource.particulars.upload ? *resource.particulars.upload : *resource.noun;
}

void add_file_option(CLI::App& command, Given& given) {
  command
      .add_option("-f,--file", given.file,
                  "YAML or JSON of the fields; flags win; - is standard input")
      ->type_name("FILE");
}

void add_cluster_of_name(CLI::App& command, const Resource& resource, Given& given) {
  if (resource.in_clusters() && resource.key != "id")
    command.add_option("--cluster", given.cluster, "Cluster of the name")->type_name("CLUSTER");
}

using Work = Exit (*)(Tool&, const Resource&, const Given&);

void set_work(CLI::App& command, Tool& tool, const Resource& resource,
              const std::shared_ptr<Given>& given, Work work) {
  command.callback([&tool, &resource, given, work] {
    tool.chosen = [&tool, &resource, given, work] { return work(tool, resource, *given); };
  });
}

void add_create(CLI::App& verb, const Resource& resource, Tool& tool) {
  CLI::App& command = add_noun(verb, resource, resource.file_kind(),
                               "Create " + with_article(resource.file_kind()) + ".");
  auto given = std::make_shared<Given>();
  given->flags = std::make_unique<FieldFlags>(command, parts_of(resource), Purpose::Create);
  add_file_option(command, *given);
  add_wait_option(command, given->wait);
  set_work(command, tool, resource, given, create);
}

void add_update(CLI::App& verb, const Resource& resource, Tool& tool) {
  CLI::App& command = add_noun(verb, resource, resource.file_kind(),
                               "Change " + with_article(resource.file_kind()) + ".");
  auto given = std::make_shared<Given>();
  given->references.resize(1);
  command.add_option(resource.placeholder(), given->references.front(), "Name or id.")
      ->required()
      ->type_name("");
  given->flags = std::make_unique<FieldFlags>(command, parts_of(resource), Purpose::Change);
  command.add_option("--unset", given->unset, "Fields that get their default back")
      ->type_name("FIELD")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  add_cluster_of_name(command, resource, *given);
  add_file_option(command, *given);
  add_wait_option(command, given->wait);
  set_work(command, tool, resource, given, update);
}

void add_delete(CLI::App& verb, const Resource& resource, Tool& tool) {
  CLI::App& command =
      add_noun(verb, resource, resource.file_kind(), "Delete " + resource.plural() + ".");
  auto given = std::make_shared<Given>();
  command.add_option(resource.placeholder(), given->references, "Names or ids.")
      ->required()
      ->type_name("");
  add_cluster_of_name(command, resource, *given);
  add_wait_option(command, given->wait);
  if (const Description* how = resource.particulars.deletion)
    given->flags = std::make_unique<FieldFlags>(command, *how, Purpose::Create);
  set_work(command, tool, resource, given, remove);
}

}  // namespace

void add_writing(CLI::App& root, Tool& tool) {
  CLI::App& create = add_command(
      root, "create", "Create an object.",
      {"create service --name web --ip-fqdn 10.0.1.100 --port 8080 --collection shop",
       "create mapping --source-services any --dest-services web --protocols http --ports 80 "
       "--hosts shop.example --wait 10",
       "create user --username jdoe --email jdoe@company.example --password-stdin < password.txt",
       "create service -f web.yaml"});
  CLI::App& update =
      add_command(root, "update", "Change fields of an object.",
                  {"update service web --port 8081 --tls.enabled --wait 10",
                   "update mapping 12 --enabled=false", "update service web --unset port",
                   "get service web -o yaml > web.yaml && marchctl update service web "
                   "-f web.yaml"});
  CLI::App& remove = add_command(root, "delete", "Delete objects.",
                                 {"delete service web", "delete mapping 12 13 --wait 10"});
  for (CLI::App* verb : {&create, &update, &remove}) verb->require_subcommand(1)->group("Objects");
  for (const Resource& resource : all_resources()) {
    if (resource.verbs.has(Verb::Create)) add_create(create, resource, tool);
    if (resource.verbs.has(Verb::Update)) add_update(update, resource, tool);
    if (resource.verbs.has(Verb::Delete)) add_delete(remove, resource, tool);
  }
}

}  // namespace mp::cli
