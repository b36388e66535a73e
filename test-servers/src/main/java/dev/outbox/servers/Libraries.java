package dev.outbox.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Libraries that a packaged server needs and the system may lack. They come from Debian's packages, unpacked into the cache
 * and not installed.
 *
 * @param packages beginning of a library's file name, and the package that has it
 * @param folder of the cache
 * @param release the Debian release whose packages to take, empty for the system's own
 */
record Libraries(Map<String, String> packages, String folder, String release) {
    /** The path to look for libraries in; empty if the system has them all. */
    String pathFor(Path program, Commands commands) throws IOException, InterruptedException {
        List<String> missing = missing(program);
        if (missing.isEmpty()) {
            return "";
        }
        Path libraries = Commands.cache().resolve(folder);
        if (!Files.isDirectory(libraries)) {
            fetch(missing, libraries, commands);
        }
        try (Stream<Path> files = Files.walk(libraries)) {
            return files.filter(file -> file.getFileName().toString().contains(".so"))
                    .map(file -> String.valueOf(file.getParent()))
                    .distinct()
                    .reduce((a, b) -> a + ":" + b)
                    .orElseThrow(() -> new IllegalStateException(program.getFileName() + " lacks " + missing + " and "
                            + libraries + " has none: delete that folder"));
        }
    }

    private List<String> missing(Path program) throws IOException, InterruptedException {
        Process ldd = new ProcessBuilder("ldd", program.toString())
                .redirectErrorStream(true)
                .start();
        try (Stream<String> lines = ldd.inputReader().lines()) {
            List<String> missing = lines.filter(line -> line.contains("not found"))
                    .map(String::trim)
                    .filter(line -> packages.keySet().stream().anyMatch(line::startsWith))
                    .toList();
            ldd.waitFor();
            return missing;
        }
    }

    private void fetch(List<String> missing, Path libraries, Commands commands)
            throws IOException, InterruptedException {
        Path work = Files.createTempDirectory(Commands.cache(), "fetch");
        Path unpacked = Files.createDirectory(work.resolve("unpacked"));
        List<String> options = release.isEmpty() ? List.of() : sourceOptions(work, commands);
        for (String name : new TreeSet<>(missing.stream().map(this::packageOf).toList())) {
            try {
                commands.run(work, command(options, "download", name));
            } catch (IOException | IllegalStateException e) {
                commands.run(work, command(options, "update")); // the lists of a fresh machine are empty
                commands.run(work, command(options, "download", name));
            }
        }
        try (Stream<Path> files = Files.list(work)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".deb")).toList()) {
                commands.run(work, "dpkg-deb", "-x", file.toString(), unpacked.toString());
            }
        }
        try {
            Files.move(unpacked, libraries, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (!Files.isDirectory(libraries)) { // else another process was faster
                throw e;
            }
        }
        Databases.deleteTree(work);
    }

    private String packageOf(String library) {
        return packages.entrySet().stream()
                .filter(entry -> library.startsWith(entry.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElseThrow();
    }

    /** Makes apt look at another release of the server it is set up for, with lists of its own. */
    private List<String> sourceOptions(Path work, Commands commands) throws IOException, InterruptedException {
        Path source = work.resolve("sources.list");
        Files.writeString(source, "deb " + debian(commands) + " " + release + " main\n");
        Files.createDirectories(work.resolve("lists/partial"));
        Files.createDirectories(work.resolve("cache/archives/partial"));
        return List.of(
                "Dir::Etc::SourceList=" + source,
                "Dir::Etc::SourceParts=/dev/null",
                "Dir::State::Lists=" + work.resolve("lists"),
                "Dir::Cache=" + work.resolve("cache"));
    }

    /** Where this machine gets Debian's packages from. */
    private String debian(Commands commands) throws IOException, InterruptedException {
        for (boolean again : new boolean[] {false, true}) {
            if (again) {
                commands.run(Path.of("/"), "apt-get", "update");
            }
            Process apt = new ProcessBuilder("apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)")
                    .redirectErrorStream(true)
                    .start();
            List<String> said = apt.inputReader().lines().toList();
            apt.waitFor();
            for (String line : said) {
                if (line.startsWith("Debian ") && !line.contains("security")) {
                    return line.substring("Debian ".length());
                }
            }
        }
        throw new IllegalStateException("this system has no source of Debian's packages to get "
                + new TreeSet<>(packages.values()) + " of " + release + " from");
    }

    private static String[] command(List<String> options, String... rest) {
        return Stream.concat(
                        Stream.concat(Stream.of("apt-get"), options.stream().flatMap(o -> Stream.of("-o", o))),
                        Stream.of(rest))
                .toArray(String[]::new);
    }
}
