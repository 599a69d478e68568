#pragma once

#include "package.hpp"

#include <cstddef>
#include <istream>
#include <string>
#include <vector>

/// The packages of a catalogue, and how many stanzas were passed over because their name and architecture had come before: a machine with
/// several suites lists several versions of a package, the key holds one.
struct Catalogue {
    std::vector<Package> packages;
    std::size_t repeated = 0;
};

/// Reads stanzas as `apt-cache dumpavail` prints them: of a package that comes again, the first counts. Embeddings are left empty. Throws
/// `std::runtime_error` with the number of the line that is not understood.
[[nodiscard]] Catalogue read_catalogue(std::istream& stanzas);

/// The same from a file. Throws `std::runtime_error` with its path.
[[nodiscard]] Catalogue read_catalogue(std::string const& path);

/// The catalogue of this machine's apt; where there is none, the sample in `examples/data`. `origin` is told which. Throws
/// `std::runtime_error` where apt-cache stops halfway, as the packages that it did not print would be taken for vanished ones.
[[nodiscard]] Catalogue read_catalogue_of_this_machine(std::string& origin);
