// Inputs of endpoints that take files: a described struct whose fields are the parts of a
// multipart/form-data body. Fields with a format of the standard "binary" are sent as files, the
// others as plain values. Beside api/endpoint, for the nouns that need it.
#pragma once

#include "api/endpoint.hpp"

namespace mp::api {

inline constexpr std::string_view form_data = "multipart/form-data";

// Whether a field is sent as a file.
bool is_file(const Field& field);

// All parts at once, and what is wrong with them in themselves.
template <class T>
struct Upload {
  T value{};
  Violations violations{};
};

// Applied once the object is loaded: the parts that are sent replace what `value` holds, the rest
// stays.
template <class T>
struct UploadChange {
  Call& call;
  Violations read(T& value) const;
};

Violations read_upload(const Call& call, const Description& description, void* object);
Violations read_upload_change(const Call& call, const Description& description, void* object);

template <class T>
Violations UploadChange<T>::read(T& value) const {
  return read_upload_change(call, describe<T>, &value);
}

template <class T>
struct Input<Upload<T>> {
  static void declare(Endpoint& endpoint) {
    endpoint.body = &describe<T>;
    endpoint.body_type = form_data;
  }
  static Upload<T> read(Call& call) {
    Upload<T> input;
    input.violations = read_upload(call, describe<T>, &input.value);
    return input;
  }
};

template <class T>
struct Input<UploadChange<T>> {
  static void declare(Endpoint& endpoint) {
    endpoint.body = &describe<T>;
    endpoint.body_type = form_data;
    endpoint.body_schema = SchemaOf::Update;
    endpoint.conditional = true;
  }
  static UploadChange<T> read(Call& call) { return {call}; }
};

}  // namespace mp::api
