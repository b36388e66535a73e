package dev.outbox.tck.proofs;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The project that the document tells to make, built by a Maven of its own that knows only what was published. */
record OutsideProject(Path folder) {
    private static final int MINUTES = 15;

    /** Copies the project of the document, without what was built of it. */
    static OutsideProject make(String name) throws IOException {
        Path document = Published.ROOT.resolve(Path.of("examples", "custom-store"));
        Path built = document.resolve("target");
        Path folder = Path.of("target", "outside", name).toAbsolutePath();
        try (Stream<Path> all = Files.walk(document)) {
            for (Path file : (Iterable<Path>) all.filter(Files::isRegularFile)::iterator) {
                if (!file.startsWith(built)) {
                    Path copy = folder.resolve(document.relativize(file));
                    Files.createDirectories(requireNonNull(copy.getParent()));
                    Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
        return new OutsideProject(folder);
    }

    /** Runs its tests; returns what Maven printed. */
    String test(String... properties) throws IOException, InterruptedException {
        boolean windows =
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("outbox.maven.home", ""), "bin", windows ? "mvn.cmd" : "mvn")
                .toString());
        command.addAll(List.of("-B", "-gs", settings().toString(), "-Dmaven.repo.local=" + Published.REPOSITORY));
        if (System.getProperty("outbox.maven.offline", "").equals("offline: true")) {
            // The build's own repository is a file, which may be read without a network.
            command.addAll(List.of("-o", "-Daether.offline.protocols=file"));
        }
        command.addAll(Arrays.asList(properties));
        command.add("test");
        Path output = folder.resolve("build.log");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home", ""));
        builder.environment().remove("MAVEN_OPTS");
        Process maven = builder.start();
        if (!maven.waitFor(MINUTES, TimeUnit.MINUTES)) {
            maven.descendants().forEach(ProcessHandle::destroyForcibly);
            maven.destroyForcibly();
            throw new AssertionError("Not done after " + MINUTES + " minutes: " + Files.readString(output));
        }
        String printed = Files.readString(output);
        if (maven.exitValue() != 0) {
            throw new AssertionError(String.join(" ", command) + " failed: " + printed);
        }
        return printed;
    }

    /** What the run showed. */
    JsonNode report() throws IOException {
        return new ObjectMapper()
                .readTree(folder.resolve("target/outbox-tck/com.example.outbox.HsqlStoreTest/conformance.json")
                        .toFile());
    }

    /** Plugins and libraries come from the repository of this build, as far as it has them: they need no second download. */
    private Path settings() throws IOException {
        String url = Path.of(System.getProperty("outbox.maven.repository", ""))
                .toUri()
                .toString();
        Path settings = folder.resolve("settings.xml");
        Files.writeString(settings, """
                <settings>
                  <profiles>
                    <profile>
                      <id>near</id>
                      <repositories><repository><id>near</id><url>%s</url></repository></repositories>
                      <pluginRepositories><pluginRepository><id>near</id><url>%s</url></pluginRepository></pluginRepositories>
                    </profile>
                  </profiles>
                  <activeProfiles><activeProfile>near</activeProfile></activeProfiles>
                </settings>
                """.formatted(url, url));
        return settings;
    }
}
