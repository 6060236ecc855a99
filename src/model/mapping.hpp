// A mapping: which services may reach which services, by which protocols and ports, and how
// requests are told apart. This file is the only place that lists its fields.
#pragma once

#include "model/shape.hpp"
#include "model/status.hpp"

#include <span>

namespace mp {

enum class Protocol { Tcp, Udp, Icmp, Http, Https, Ws, Wss };
template <>
inline constexpr std::array names_of<Protocol>{std::string_view("tcp"),   std::string_view("udp"),
                                               std::string_view("icmp"),  std::string_view("http"),
                                               std::string_view("https"), std::string_view("ws"),
                                               std::string_view("wss")};

// One side's member: a service (held by id, so that a rename follows), a collection, or anybody.
struct ServiceRef {
  enum class Kind { Service, Collection, Any };
  Kind kind = Kind::Service;
  std::int64_t service_id = 0;  // Kind::Service, once resolved
  std::string name;             // of the service or the collection
  bool operator==(const ServiceRef&) const = default;
};

// A port or a range of ports, both ends included.
struct Ports {
  int first = 0;
  int last = 0;
  bool operator==(const Ports&) const = default;
};

inline constexpr std::size_t most_ports = 64;  // in all of a mapping

template <>
struct ShapeOf<ServiceRef> {
  static constexpr JsonType json_type = JsonType::String;
  static json::value to_json(const ServiceRef& value);
  static void from_json(ServiceRef& target, const json::value& value, const Rules& rules,
                        const std::string& path, Violations& violations);
  static json::object schema(const Rules& rules);
};

template <>
struct ShapeOf<Ports> {
  static constexpr JsonType json_type = JsonType::Integer;
  static json::value to_json(const Ports& value);
  static void from_json(Ports& target, const json::value& value, const Rules& rules,
                        const std::string& path, Violations& violations);
  static json::object schema(const Rules& rules);
};

struct Mapping {
  std::int64_t id = 0;
  std::vector<ServiceRef> source_services;
  std::vector<ServiceRef> dest_services;
  std::int64_t cluster_id = 0;
  std::vector<Protocol> protocols;
  std::vector<Ports> ports;
  bool auth_required = false;
  std::string comments;
  int priority = 100;
  int timeout = 15;
  bool enabled = true;
  std::vector<std::string> hosts;
  std::string path_prefix = "/";
  bool strip_prefix = false;
  Status status;
  Time created_at;
  Time updated_at;
  std::int64_t revision = 1;
};

inline constexpr std::array mapping_fields{
    field<&Mapping::id>("id", "Identifier.", {.mode = Mode::Server, .sort = true}),
    field<&Mapping::source_services>(
        "source_services", "Who may send: service names, collection:<name>, or any.",
        {.kept = Kept::Linked, .min = 1, .max = 256, .unique = true, .example = "[\"any\"]"}),
    field<&Mapping::dest_services>("dest_services",
                                   "Who is reached: service names or collection:<name>.",
                                   {.kept = Kept::Linked,
                                    .min = 1,
                                    .max = 256,
                                    .unique = true,
                                    .example = "[\"web-backend\"]"}),
    field<&Mapping::cluster_id>(
        "cluster_id", "Cluster it belongs to.",
        {.mode = Mode::Fixed, .min = 1, .references = "cluster", .filter = true, .example = "1"}),
    field<&Mapping::protocols>("protocols", "Protocols that the ports speak.",
                               {.min = 1, .max = 7, .unique = true, .example = "[\"http\"]"}),
    field<&Mapping::ports>("ports", "Ports, or ranges such as \"8000-8010\"; at most 64 in all.",
                           {.min = 1, .max = 64, .example = "[80, 8080]"}),
    field<&Mapping::auth_required>("auth_required",
                                   "Whether callers must prove to be one of the sources."),
    field<&Mapping::comments>("comments", "What it is for.",
                              {.max = 500,
                               .format = "comment",
                               .search = true,
                               .example = "\"Web tier to backend services\""}),
    field<&Mapping::priority>("priority",
                              "Order among mappings that claim the same; lower goes first.",
                              {.min = 0, .max = 1000}),
    field<&Mapping::timeout>("timeout", "Seconds an HTTP request may take.",
                             {.min = 1, .max = 86400}),
    field<&Mapping::enabled>("enabled", "Whether proxies get it."),
    field<&Mapping::hosts>(
        "hosts", "HTTP host names that it answers to: a name, *.domain, or * for every other.",
        {.max = 64,
         .format = "host_pattern",
         .unique = true,
         .example = "[\"web.company.com\", \"*.company.org\"]"}),
    field<&Mapping::path_prefix>("path_prefix", "HTTP paths that it answers to begin with this.",
                                 {.min = 1, .max = 1000, .format = "path_prefix"}),
    field<&Mapping::strip_prefix>(
        "strip_prefix", "Whether path_prefix is cut off before the service sees the path."),
    field<&Mapping::status>("status", "Whether proxies hold it.",
                            {.mode = Mode::Server, .kept = Kept::Computed}),
    field<&Mapping::created_at>("created_at", "When it was made.",
                                {.mode = Mode::Server, .sort = true}),
    field<&Mapping::updated_at>("updated_at", "When it last changed.",
                                {.mode = Mode::Server, .sort = true}),
    field<&Mapping::revision>("revision", "Counts its changes; the ETag.", {.mode = Mode::Hidden}),
};

// No more than 64 ports in all, no port twice; `any` only as a source and alone; hosts only with
// HTTP.
void check_mapping(const void* object, Violations& violations);

template <>
inline constexpr Description describe<Mapping> = resource<Mapping>(
    "mapping", "mappings", "A rule for traffic between services.", mapping_fields, check_mapping);

// Every port of a mapping, ascending.
std::vector<int> all_ports(const Mapping& mapping);

// A member of one side, as a row: what ServiceRef is in the database.
enum class Side { Source, Dest };
template <>
inline constexpr std::array names_of<Side>{std::string_view("source"), std::string_view("dest")};

}  // namespace mp
