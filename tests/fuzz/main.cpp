// The program of all fuzz targets.
//
//   test_fuzz --list                    prints the targets' names
//   test_fuzz --write-seeds=FOLDER      writes the inputs that corpora begin with
//   test_fuzz --target=NAME [FLAG…]     with libFuzzer: fuzzes one of them, with libFuzzer's flags and folders
//
// Without it, it runs each target on its corpus and on what findings have left: test_fuzz CORPUS-FOLDER REGRESSIONS-FOLDER.

#include <fuzz/target.hpp>

#include <isorow/error/error.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <utility>

#ifdef ISOROW_FUZZ
#include <sanitizer/allocator_interface.h>
#else
#include <malloc.h>
#endif

namespace {

/// What the target that runs has asked of memory. Its input decides how much it may ask.
struct memory_use {
    bool counts = false;
    std::size_t largest = 0;
    std::size_t live = 0;
    std::size_t most = 0;
};
memory_use memory;

void note_allocation(std::size_t asked, std::size_t given) noexcept {
    if (!memory.counts) return;
    memory.largest = std::max(memory.largest, asked);
    memory.live += given;
    memory.most = std::max(memory.most, memory.live);
}
void note_release(std::size_t given) noexcept {
    if (memory.counts) memory.live -= std::min(memory.live, given);
}

[[noreturn]] void list_targets() {
    for (auto const& one : fuzz::targets()) std::puts(one.name.c_str());
    std::exit(0);
}

/// Files have the hash of their content for a name, so that each content is there once.
[[noreturn]] void write_seeds(std::filesystem::path const& folder) {
    for (auto const& one : fuzz::targets()) {
        std::filesystem::create_directories(folder / one.name);
        for (auto const& seed : one.seeds()) {
            std::uint64_t hash = 14'695'981'039'346'656'037u;
            for (auto const byte : seed) hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 1'099'511'628'211u;
            char name[17];
            std::snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(hash));
            std::ofstream file(folder / one.name / name, std::ios::binary);
            file.write(reinterpret_cast<char const*>(seed.data()), static_cast<std::streamsize>(seed.size()));
        }
    }
    std::exit(0);
}

/// What both programs do without fuzzing.
void obey(std::string_view argument) {
    constexpr std::string_view seeds = "--write-seeds=";
    if (argument == "--list") list_targets();
    if (argument.starts_with(seeds)) write_seeds(argument.substr(seeds.size()));
}

}  // namespace

#ifdef ISOROW_FUZZ

namespace {

void on_allocation(void const volatile*, std::size_t size) { note_allocation(size, size); }
void on_release(void const volatile* place) {
    if (place != nullptr) note_release(__sanitizer_get_allocated_size(place));
}
[[maybe_unused]] int const hooks = __sanitizer_install_malloc_and_free_hooks(&on_allocation, &on_release);

}  // namespace

#else

namespace {

void* allocate(std::size_t size) {
    void* const place = std::malloc(size == 0 ? 1 : size);
    if (place == nullptr) throw std::bad_alloc();
    note_allocation(size, malloc_usable_size(place));
    return place;
}
void release(void* place) noexcept {
    if (place != nullptr) note_release(malloc_usable_size(place));
    std::free(place);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* place) noexcept { release(place); }
void operator delete[](void* place) noexcept { release(place); }
void operator delete(void* place, std::size_t) noexcept { release(place); }
void operator delete[](void* place, std::size_t) noexcept { release(place); }

#endif

fuzz::uncounted::uncounted() noexcept : counted_before_(std::exchange(memory.counts, false)) {}
fuzz::uncounted::~uncounted() { memory.counts = counted_before_; }

void fuzz::require(bool holds, std::string_view what) {
    if (holds) return;
    std::fprintf(stderr, "isorow's fuzz target found: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
}

namespace {

/// An element of an array takes four bytes on the wire at least, and a dynamic value, which is the largest that one becomes, about fifty.
constexpr std::size_t largest_multiple = 16;
constexpr std::size_t live_multiple = 64;
/// What errors' texts and the first blocks of buffers take, whatever the input.
constexpr std::size_t largest_base = 4096;
constexpr std::size_t live_base = 16384;

void run(fuzz::target const& target, fuzz::input given) {
    // In memory of its own and exactly as large, so that a sanitizer sees a byte too far.
    auto const own = std::make_unique<std::byte[]>(given.size());
    std::copy(given.begin(), given.end(), own.get());
    memory = {.counts = true};
    try {
        target.run({own.get(), given.size()});
    } catch (isorow::error const&) {  // refused, as it should be
    } catch (std::exception const& other) {
        memory.counts = false;
        fuzz::require(false, std::string("an exception that is not isorow's: ") + other.what());
    }
    memory.counts = false;
    fuzz::require(memory.largest <= largest_base + largest_multiple * given.size(),
                  "one allocation of " + std::to_string(memory.largest) + " bytes for an input of " + std::to_string(given.size()));
    fuzz::require(memory.most <= live_base + live_multiple * given.size(),
                  std::to_string(memory.most) + " bytes of memory at once for an input of " + std::to_string(given.size()));
}

}  // namespace

#ifdef ISOROW_FUZZ

namespace {

fuzz::target const* chosen = nullptr;

[[noreturn]] void stop(int status, std::string const& message) {
    std::fprintf(stderr, "%s\n", message.c_str());
    std::exit(status);
}

void choose(std::string_view name) {
    for (auto const& one : fuzz::targets())
        if (one.name == name) chosen = &one;
    if (chosen == nullptr) stop(2, "no such target: " + std::string(name));
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
    constexpr std::string_view target = "--target=";
    for (int i = 1; i < *count; ++i) {
        std::string_view const argument = (*arguments)[i];
        obey(argument);
        if (argument.starts_with(target)) choose(argument.substr(target.size()));
    }
    if (chosen == nullptr) stop(2, "say --target=NAME, or --list");
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    run(*chosen, std::as_bytes(std::span(data, size)));
    return 0;
}

#else

namespace {

/// Runs the target on each file of a folder; returns how many there are.
int run_folder(fuzz::target const& target, std::filesystem::path const& folder) {
    if (!std::filesystem::is_directory(folder)) return 0;
    int count = 0;
    for (auto const& entry : std::filesystem::directory_iterator(folder)) {
        std::ifstream file(entry.path(), std::ios::binary);
        std::string const text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        std::fprintf(stderr, "%s: %s\n", target.name.c_str(), entry.path().filename().c_str());
        run(target, std::as_bytes(std::span(text)));
        ++count;
    }
    return count;
}

/// Each folder's name is a target's, or what stands in it would be run by nobody.
void require_known(std::filesystem::path const& parent) {
    if (!std::filesystem::is_directory(parent)) return;
    for (auto const& entry : std::filesystem::directory_iterator(parent))
        fuzz::require(
            std::ranges::any_of(fuzz::targets(), [&](fuzz::target const& one) { return one.name == entry.path().filename().string(); }),
            "no target has the name of the folder " + entry.path().string());
}

}  // namespace

int main(int count, char** arguments) {
    for (int i = 1; i < count; ++i) obey(arguments[i]);
    fuzz::require(count == 3, "say the folders of corpora and of regressions");
    std::filesystem::path const corpora(arguments[1]);
    std::filesystem::path const regressions(arguments[2]);
    require_known(corpora);
    require_known(regressions);
    int inputs = 0;
    for (auto const& one : fuzz::targets()) {
        auto const found = run_folder(one, corpora / one.name);
        fuzz::require(found > 0, "no corpus for " + one.name + ": script/fuzz --seeds writes one");
        inputs += found + run_folder(one, regressions / one.name);
    }
    std::printf("%zu targets took %d inputs\n", fuzz::targets().size(), inputs);
    return 0;
}

#endif
