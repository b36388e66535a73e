package dev.outbox.examples.shop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The folder of a reader, and a Maven that finds of outbox what is published, and nothing else of this build. */
record GuideProject(Path folder) {
    private static final Path ROOT = Path.of("..", "..");
    private static final int MINUTES = 15;

    /** The artifacts that a shop may need, by the folders that they are in. A build has those that it needs. */
    private static final Map<String, List<String>> ARTIFACTS = Map.of(
            ".",
            List.of(
                    "outbox-bom",
                    "outbox-api",
                    "outbox-relay",
                    "outbox-jackson",
                    "outbox-jackson3",
                    "outbox-store-support",
                    "outbox-store-jooq"),
            "publishers",
            List.of("outbox-kafka"),
            "spring",
            List.of(
                    "outbox-spring",
                    "outbox-spring-boot",
                    "outbox-spring-boot-starter",
                    "outbox-spring-boot3-starter"));

    /** Writes the files into an empty folder, for the generation of Spring Boot that this build is for. */
    static GuideProject make(Map<String, String> files) throws IOException {
        Path folder = Path.of("target", "guide").toAbsolutePath();
        for (Map.Entry<String, String> file : files.entrySet()) {
            boolean isPom = file.getKey().equals("pom.xml");
            write(folder.resolve(file.getKey()), isPom ? forThisBoot(file.getValue()) : file.getValue());
        }
        return new GuideProject(folder);
    }

    /** As the guide says below its pom.xml. */
    private static String forThisBoot(String pom) {
        return pom.replace("<version>4.0.7</version>", "<version>" + property("shop.boot") + "</version>")
                .replace(">outbox-spring-boot-starter<", ">" + property("shop.outbox") + "<")
                .replace(">spring-boot-starter-webmvc<", ">" + property("shop.web") + "<")
                .replaceAll(
                        "<groupId>org.springframework.boot</groupId>(\\s+)<artifactId>spring-boot-starter-kafka<",
                        "<groupId>" + property("shop.kafka.group") + "</groupId>$1<artifactId>" + property("shop.kafka")
                                + "<");
    }

    /** Builds it as the guide says, and returns the jar. */
    Path build() throws IOException, InterruptedException {
        Path repository = folder.resolve("repository");
        publish(repository);
        List<String> command = new ArrayList<>(List.of(
                Path.of(property("outbox.maven.home"), "bin", "mvn").toString(),
                "-B",
                "-gs",
                settings().toString(),
                "-Dmaven.repo.local=" + repository));
        if (property("outbox.maven.offline").equals("offline: true")) {
            // The build's own repository is a file, which may be read without a network.
            command.addAll(List.of("-o", "-Daether.offline.protocols=file"));
        }
        command.add("package");
        Path log = folder.resolve("build.log");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("JAVA_HOME", property("java.home"));
        builder.environment().remove("MAVEN_OPTS");
        Process maven = builder.start();
        if (!maven.waitFor(MINUTES, TimeUnit.MINUTES) || maven.exitValue() != 0) {
            maven.destroyForcibly();
            throw new AssertionError(String.join(" ", command) + ": " + Files.readString(log));
        }
        return folder.resolve("target").resolve("shop-1.0.jar");
    }

    private static void publish(Path repository) throws IOException {
        put(repository, "outbox-parent", ROOT.resolve("pom.xml"), "pom");
        for (Map.Entry<String, List<String>> artifacts : ARTIFACTS.entrySet()) {
            for (String artifact : artifacts.getValue()) {
                Path module = ROOT.resolve(artifacts.getKey()).resolve(artifact);
                put(repository, artifact, module.resolve("pom.xml"), "pom");
                Path jar = module.resolve("target").resolve(artifact + "-" + property("outbox.version") + ".jar");
                if (Files.exists(jar)) {
                    put(repository, artifact, jar, "jar");
                }
            }
        }
    }

    private static void put(Path repository, String artifact, Path file, String type) throws IOException {
        String version = property("outbox.version");
        Path folder =
                repository.resolve("dev").resolve("outbox").resolve(artifact).resolve(version);
        Files.createDirectories(folder);
        Files.copy(file, folder.resolve(artifact + "-" + version + "." + type), StandardCopyOption.REPLACE_EXISTING);
    }

    /** Plugins and libraries come from the repository of this build, as far as it has them. */
    private Path settings() throws IOException {
        String url = Path.of(property("outbox.maven.repository")).toUri().toString();
        return write(folder.resolve("settings.xml"), """
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
    }

    private static Path write(Path file, String text) throws IOException {
        Path folder = file.getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        return Files.writeString(file, text);
    }

    private static String property(String name) {
        return System.getProperty(name, "");
    }
}
