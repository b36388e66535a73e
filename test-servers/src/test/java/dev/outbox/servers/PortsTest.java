package dev.outbox.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PortsTest {
    @Test
    void noPortIsGivenOutTwiceOrToAConnection() throws IOException {
        Set<Integer> given = new HashSet<>();
        for (int i = 0; i < 300; i++) {
            int port = Ports.free();
            assertTrue(given.add(port), "given out twice: " + port);
            assertTrue(port < Ports.lowestOfConnections(), "a connection may get it: " + port);
        }
    }

    @Test
    void aPortThatIsListenedOnIsNotGivenOut() throws IOException {
        int port = Ports.free();
        assertFalse(Ports.claim(port), "claimed twice");
        Ports.release(port);
        try (ServerSocket listener = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            assertFalse(Ports.claim(port), "claimed while something listens on " + listener);
        }
        assertTrue(Ports.claim(port));
    }

    /** A claim holds among processes, for as long as its process lives. */
    @Test
    void anotherJvmDoesNotGetAPortUntilOursHasEnded() throws Exception {
        int port = Ports.free();
        assertEquals("refused", claimInAnotherJvm(port));
        Ports.release(port);
        assertEquals("claimed", claimInAnotherJvm(port));
        assertEquals("claimed", claimInAnotherJvm(port), "the dead still hold it");
    }

    private static String claimInAnotherJvm(int port) throws Exception {
        Process other = new ProcessBuilder(List.of(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Claim.class.getName(),
                        Integer.toString(port)))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String said = new String(other.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertTrue(other.waitFor(300, TimeUnit.SECONDS));
        return said.strip();
    }

    static final class Claim {
        private Claim() {}

        public static void main(String[] args) throws IOException {
            System.out.println(Ports.claim(Integer.parseInt(args[0])) ? "claimed" : "refused");
        }
    }
}
