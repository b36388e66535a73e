package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.processes.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devtools load the classes of the application again, in the same process, and start it again. */
@Tag("versions")
class DevtoolsTest {
    @Test
    void anApplicationThatIsRestartedGoesOn(@TempDir Path folder) throws Exception {
        Path log = Path.of("target", "devtools.log");
        Process process = ChildJvm.of(
                        RestartedShop.class,
                        256,
                        List.of(),
                        List.of("--spring.datasource.url=jdbc:h2:" + folder.resolve("shop")))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertTrue(process.waitFor(5, TimeUnit.MINUTES), "see " + log);
            assertEquals(0, process.exitValue(), "see " + log);
            List<String> published = Files.readAllLines(log).stream()
                    .filter(line -> line.startsWith(RestartedShop.PUBLISHED))
                    .toList();
            assertEquals(2, published.size(), "see " + log);
            assertEquals(2, published.stream().distinct().count(), "loaded twice: " + published);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
