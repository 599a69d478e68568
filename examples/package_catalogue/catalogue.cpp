#include "catalogue.hpp"

#include <charconv>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    auto const read = std::from_chars(text.data(), text.data() + text.size(), value);
    return read.ec == std::errc{} ? std::optional(value) : std::nullopt;
}

/// The names in `libc6 (>= 2.36), libpng16-16 | libpng-dev:any`.
std::vector<std::string> dependency_names(std::string_view list) {
    std::vector<std::string> names;
    while (!list.empty()) {
        auto const end = std::min(list.find_first_of(",|"), list.size());
        auto const name = trimmed(list.substr(0, end));
        names.emplace_back(name.substr(0, name.find_first_of(" (:")));
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
    auto const finish = [&] {
        if (!package.name.empty()) {
            if (seen.emplace(package.name, package.architecture).second) catalogue.packages.push_back(std::move(package));
            else ++catalogue.repeated;
        }
        package = {};
        in_description = false;
    };
    for (std::string line; std::getline(stanzas, line);) {
        if (line.empty()) {
            finish();
        } else if (line.front() == ' ') {
            if (in_description) package.description.append("\n").append(trimmed(line) == "." ? std::string_view{} : trimmed(line));
        } else if (auto const colon = line.find(':'); colon != std::string::npos) {
            std::string_view const name(line.data(), colon);
            in_description = name.starts_with("Description") && !name.ends_with("md5");
            take_field(package, name, trimmed(std::string_view(line).substr(colon + 1)));
        }
    }
    finish();
    return catalogue;
}

Catalogue read_catalogue_of_this_machine(std::string& origin) {
    struct close {
        void operator()(std::FILE* pipe) const { ::pclose(pipe); }
    };
    std::stringstream stanzas;
    if (std::unique_ptr<std::FILE, close> const pipe(::popen("apt-cache dumpavail 2>/dev/null", "r")); pipe) {
        std::vector<char> buffer(1 << 16);
        for (std::size_t size = 0; (size = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) stanzas.write(buffer.data(), static_cast<std::streamsize>(size));
    }
    origin = "this machine's apt-cache";
    auto catalogue = read_catalogue(stanzas);
    if (!catalogue.packages.empty()) return catalogue;
    origin = EXAMPLE_DATA "/packages.txt";
    std::ifstream sample(origin);
    return read_catalogue(sample);
}
