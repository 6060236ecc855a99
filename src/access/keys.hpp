// Keys that are made here: of clusters and services, and of the installation itself. Used by first
// start, rotation and Tokens. Cluster keys are kept as hashes only; the others sealed by the store.
#pragma once

#include "base/secret.hpp"
#include "store/store.hpp"

#include <string>
#include <string_view>

namespace mp {

// "mp_cluster_" and 43 letters and digits (256 bits).
Secret new_cluster_key();

// 43 letters and digits (256 bits): the JWT secret or API key of a service.
Secret new_service_secret();

// "mp_api_", 43 letters and digits (256 bits) and a checksum of 6.
Secret new_api_key();
// Whether a text is meant as an API key, and whether it can be one: length, letters and checksum.
// So a typo costs no look-up.
bool is_api_key(std::string_view text);
bool is_sound_api_key(std::string_view text);

// The first 15 characters and "...": enough to tell keys apart.
std::string mask_key(std::string_view key);

// 32 random bytes that stay the same for the installation, sealed in the table meta. With several
// managers the first one's is everybody's.
Secret load_or_create_key(Store& store, const std::string& name);

}  // namespace mp
