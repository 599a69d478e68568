from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import cmake_layout
from conan.tools.files import copy
import os


class Isorow(ConanFile):
    name = "isorow"
    version = "0.1.0"
    description = "Structs as Postgres tables: declare the rows, isorow makes the table equal to them"
    license = "BSL-1.0"
    topics = ("postgresql", "libpq", "pgvector", "reflection", "header-only")
    package_type = "header-library"
    settings = "os", "compiler", "build_type", "arch"
    options = {"with_json": [True, False], "with_asio": [True, False], "with_enums": [True, False], "with_sqlite": [True, False]}
    default_options = {"with_json": False, "with_asio": False, "with_enums": False, "with_sqlite": False}
    exports_sources = "include/*", "script/cmake/*", "CMakeLists.txt", "LICENSE"
    no_copy_source = True

    def layout(self):
        cmake_layout(self)

    def configure(self):
        if self.options.with_sqlite:
            self.options.with_json = True  # its records are documents
        self.options["boost"].header_only = not (self.options.with_json or self.options.with_asio)

    def requirements(self):
        self.requires("boost/[>=1.87.0 <2]", transitive_headers=True)
        self.requires("libpq/[>=15 <19]", transitive_headers=True)
        self.requires("xxhash/[>=0.8.1 <1]", transitive_headers=True)
        if self.options.with_enums:
            self.requires("magic_enum/[>=0.9.0 <1]", transitive_headers=True)

        if self.options.with_sqlite:
            self.requires("sqlite3/[>=3.35.0 <4]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))
        copy(self, "*.cmake", os.path.join(self.source_folder, "script", "cmake"), os.path.join(self.package_folder, "cmake"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "isorow")
        self.cpp_info.set_property("cmake_build_modules", [os.path.join("cmake", "embed_sql.cmake")])
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        headers = self.cpp_info.components["isorow"]
        headers.set_property("cmake_target_name", "isorow::isorow")
        headers.requires = ["boost::headers", "libpq::pq", "xxhash::xxhash"]
        if self.options.with_json:
            json = self.cpp_info.components["json"]
            json.set_property("cmake_target_name", "isorow::json")
            json.requires = ["isorow", "boost::json"]
        if self.options.with_asio:
            asio = self.cpp_info.components["asio"]
            asio.set_property("cmake_target_name", "isorow::asio")
            asio.requires = ["isorow", "boost::context"]
        if self.options.with_enums:
            enums = self.cpp_info.components["enums"]
            enums.set_property("cmake_target_name", "isorow::enums")
            enums.requires = ["isorow", "magic_enum::magic_enum"]
        if self.options.with_sqlite:
            sqlite = self.cpp_info.components["sqlite"]
            sqlite.set_property("cmake_target_name", "isorow::sqlite")
            sqlite.requires = ["json", "sqlite3::sqlite3"]
