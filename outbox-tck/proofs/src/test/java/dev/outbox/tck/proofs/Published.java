package dev.outbox.tck.proofs;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** A local repository with what outbox publishes, and nothing else of this build. */
final class Published {
    static final Path REPOSITORY = Path.of("target", "outside", "repository").toAbsolutePath();
    static final String VERSION = requireNonNull(System.getProperty("outbox.version"));

    /** Where the build is. */
    static final Path ROOT = Path.of("..", "..");

    private Published() {}

    /** Installs the artefacts as they were packed. */
    static void install() throws IOException {
        put("outbox-parent", ROOT.resolve("pom.xml"), "pom");
        for (String artifact : List.of("outbox-bom", "outbox-api", "outbox-relay", "outbox-tck")) {
            put(artifact, ROOT.resolve(artifact).resolve("pom.xml"), "pom");
            if (!artifact.equals("outbox-bom")) {
                Path jar = ROOT.resolve(Path.of(artifact, "target", artifact + "-" + VERSION + ".jar"));
                if (!Files.exists(jar)) {
                    throw new AssertionError(jar.normalize() + " is not there: run mvn verify.");
                }
                put(artifact, jar, "jar");
            }
        }
    }

    private static void put(String artifact, Path file, String type) throws IOException {
        Path folder = REPOSITORY.resolve("dev/outbox").resolve(artifact).resolve(VERSION);
        Files.createDirectories(folder);
        Files.copy(file, folder.resolve(artifact + "-" + VERSION + "." + type), StandardCopyOption.REPLACE_EXISTING);
    }
}
