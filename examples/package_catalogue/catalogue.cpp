#include "catalogue.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    auto const end = text.data() + text.size();
    auto const read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end) throw std::runtime_error("\"" + std::string(text) + "\" is not a number");
    return value;
}

/// The names in `libc6 (>= 2.36), libpng16-16 | libpng-dev:any`.
std::vector<std::string> dependency_names(std::string_view list) {
    std::vector<std::string> names;
    while (!list.empty()) {
        auto const end = std::min(list.find_first_of(",|"), list.size());
        auto const name = trimmed(list.substr(0, end));
        if (!name.empty()) names.emplace_back(name.substr(0, name.find_first_of(" (:")));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return names;
}

void take_field(Package& package, std::string_view name, std::string_view value) {
    if (name == "Package") package.name = value;
    else if (name == "Architecture") package.architecture = value;
    else if (name == "Version") package.version = value;
    else if (name == "Section") package.section = value;
    else if (name == "Installed-Size") package.installed_kilobytes = number(value);
    else if (name == "Size") package.download_bytes = number(value);
    else if (name == "Depends") package.dependencies = dependency_names(value);
    else if (name == "Description" || name == "Description-en") package.description = value;
}

}  // namespace

Catalogue read_catalogue(std::istream& stanzas) {
    Catalogue catalogue;
    std::set<std::pair<std::string, std::string>> seen;
    Package package;
    bool in_description = false;
    bool in_stanza = false;
    std::size_t line_number = 0;
    auto const finish = [&] {
        if (in_stanza) {
            if (package.name.empty() || package.architecture.empty())
                throw std::runtime_error("a stanza has no Package or no Architecture");
            auto const first = seen.emplace(package.name, package.architecture).second;
            if (first) catalogue.packages.push_back(std::move(package));
            else ++catalogue.repeated;
        }
        package = {};
        in_description = in_stanza = false;
    };
    auto const take_line = [&](std::string_view line) {
        if (line.empty()) {
            finish();
        } else if (line.front() == ' ' || line.front() == '\t') {
            auto const more = trimmed(line);
            if (in_description) package.description.append("\n").append(more == "." ? std::string_view{} : more);
        } else {
            auto const colon = line.find(':');
            if (colon == std::string_view::npos) throw std::runtime_error("this is neither a field nor the continuation of one");
            auto const name = line.substr(0, colon);
            in_stanza = true;
            in_description = name == "Description" || name == "Description-en";
            take_field(package, name, trimmed(line.substr(colon + 1)));
        }
    };
    try {
        for (std::string line; ++line_number, std::getline(stanzas, line);) take_line(line);
        finish();
    } catch (std::runtime_error const& failure) {
        throw std::runtime_error("line " + std::to_string(line_number) + ": " + failure.what());
    }
    return catalogue;
}

Catalogue read_catalogue(std::string const& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot open " + path);
    try {
        return read_catalogue(file);
    } catch (std::runtime_error const& failure) {
        throw std::runtime_error(path + ", " + failure.what());
    }
}

Catalogue read_catalogue_of_this_machine(std::string& origin) {
    std::FILE* const pipe = ::popen("apt-cache dumpavail 2>/dev/null", "r");
    if (pipe == nullptr) throw std::runtime_error("cannot start a shell for apt-cache");
    std::stringstream stanzas;
    std::vector<char> buffer(1 << 16);
    for (std::size_t size = 0; (size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        stanzas.write(buffer.data(), static_cast<std::streamsize>(size));
    auto const status = ::pclose(pipe);
    origin = "this machine's apt-cache";
    auto catalogue = read_catalogue(stanzas);
    if (catalogue.packages.empty()) {
        origin = ISOROW_EXAMPLE_DATA "/packages.txt";
        return read_catalogue(origin);
    }
    if (status != 0) throw std::runtime_error("apt-cache failed after " + std::to_string(catalogue.packages.size()) + " packages");
    return catalogue;
}
