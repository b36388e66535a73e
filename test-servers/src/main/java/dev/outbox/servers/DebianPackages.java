package dev.outbox.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Packages of Debian that a test needs and the system may lack: fetched once, and unpacked into the cache. Nothing is
 * installed.
 *
 * @param folder of the cache; other packages want another one
 * @param release the Debian release whose packages to take, empty for the system's own
 */
record DebianPackages(String folder, String release) {
    /** The root of what is in the packages. */
    Path unpacked(Collection<String> names, Commands commands) throws IOException, InterruptedException {
        Path folderOfCache = Commands.cache().resolve(folder);
        if (!Files.isDirectory(folderOfCache)) {
            fetch(new TreeSet<>(names), folderOfCache, commands);
        }
        return folderOfCache;
    }

    private void fetch(Collection<String> names, Path target, Commands commands)
            throws IOException, InterruptedException {
        Path work = Files.createTempDirectory(Commands.cache(), "fetch");
        Path unpacked = Files.createDirectory(work.resolve("unpacked"));
        List<String> options = release.isEmpty() ? List.of() : sourceOptions(names, work, commands);
        for (String name : names) {
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
            Files.move(unpacked, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (!Files.isDirectory(target)) { // else another process was faster
                throw e;
            }
        }
        Databases.deleteTree(work);
    }

    /** Makes apt look at another release of the server it is set up for, with lists of its own. */
    private List<String> sourceOptions(Collection<String> names, Path work, Commands commands)
            throws IOException, InterruptedException {
        Path source = work.resolve("sources.list");
        Files.writeString(source, "deb " + debian(names, commands) + " " + release + " main\n");
        Files.createDirectories(work.resolve("lists/partial"));
        Files.createDirectories(work.resolve("cache/archives/partial"));
        return List.of(
                "Dir::Etc::SourceList=" + source,
                "Dir::Etc::SourceParts=/dev/null",
                "Dir::State::Lists=" + work.resolve("lists"),
                "Dir::Cache=" + work.resolve("cache"));
    }

    /** Where this machine gets Debian's packages from. */
    private String debian(Collection<String> names, Commands commands) throws IOException, InterruptedException {
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
        throw new IllegalStateException(
                "this system has no source of Debian's packages to get " + names + " of " + release + " from");
    }

    private static String[] command(List<String> options, String... rest) {
        return Stream.concat(
                        Stream.concat(Stream.of("apt-get"), options.stream().flatMap(o -> Stream.of("-o", o))),
                        Stream.of(rest))
                .toArray(String[]::new);
    }
}
