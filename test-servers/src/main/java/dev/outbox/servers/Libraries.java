package dev.outbox.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Libraries that a packaged server needs and the system may lack. They come from Debian's packages.
 *
 * @param packages beginning of a library's file name, and the package that has it
 * @param source where to get the packages
 */
record Libraries(Map<String, String> packages, DebianPackages source) {
    /** The path to look for libraries in; empty if the system has them all. */
    String pathFor(Path program, Commands commands) throws IOException, InterruptedException {
        List<String> missing = missing(program);
        if (missing.isEmpty()) {
            return "";
        }
        Path libraries = source.unpacked(missing.stream().map(this::packageOf).toList(), commands);
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

    private String packageOf(String library) {
        return packages.entrySet().stream()
                .filter(entry -> library.startsWith(entry.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElseThrow();
    }
}
