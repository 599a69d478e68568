#pragma once

#include "package.hpp"

#include <istream>
#include <string>
#include <vector>

/// The packages of a catalogue, and how many stanzas were passed over because their name and architecture had come before: a machine with
/// several suites lists several versions of a package, the key holds one.
struct Catalogue {
    std::vector<Package> packages;
    std::size_t repeated = 0;
};

/// Reads stanzas as `apt-cache dumpavail` prints them. Embeddings are left empty.
[[nodiscard]] Catalogue read_catalogue(std::istream& stanzas);

/// The catalogue of this machine's apt; where there is none, the sample beside this program. `origin` is told which.
[[nodiscard]] Catalogue read_catalogue_of_this_machine(std::string& origin);
