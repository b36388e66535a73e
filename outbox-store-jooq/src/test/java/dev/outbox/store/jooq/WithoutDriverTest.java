package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import dev.outbox.store.jooq.internal.dialect.H2Dialect;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is said to those who have not added a driver; in a JVM of its own, which has none. */
@Timeout(300)
class WithoutDriverTest {
    private static final String PASSWORD = "s3cr3t-of-a-url";

    /** In the child: opens what it is told to, and prints what is thrown. */
    static final class Child {
        private Child() {}

        public static void main(String[] urls) {
            for (String url : urls) {
                try {
                    Stores.open(url).close();
                    System.out.println("opened " + url);
                } catch (ConfigurationException e) {
                    for (Throwable t = e; t != null; t = t.getCause()) {
                        System.out.println(t);
                    }
                }
            }
        }
    }

    @Test
    void aMissingDriverIsNamed() throws Exception {
        String[] urls = Dialects.ALL.stream()
                .map(dialect -> dialect instanceof H2Dialect
                        ? "jdbc:h2:mem:x;DB_CLOSE_DELAY=-1;PASSWORD=" + PASSWORD
                        : dialect.urlPrefix() + "//localhost/x?user=u&password=" + PASSWORD)
                .toArray(String[]::new);
        String said = run(urls);
        for (Dialect dialect : Dialects.ALL) {
            assertTrue(said.contains("No JDBC driver for " + dialect.product()), said);
            assertTrue(said.contains("Add the artifact " + dialect.driverArtifact()), said);
        }
        assertFalse(said.contains(PASSWORD) || said.contains("opened"), said);
    }

    private static String run(String... urls) throws IOException, InterruptedException {
        String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(entry -> !Path.of(entry)
                        .getFileName()
                        .toString()
                        .matches("(postgresql|mysql-connector-j|mariadb-java-client|h2)-\\d.*"))
                .collect(Collectors.joining(File.pathSeparator));
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder command = new ProcessBuilder(java, "-cp", classPath, Child.class.getName());
        command.command().addAll(Arrays.asList(urls));
        Process child = command.redirectErrorStream(true).start();
        String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, child.waitFor(), said);
        return said;
    }
}
