package dev.outbox.tck.internal.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.network.FaultyProxy.Direction;
import dev.outbox.tck.internal.network.FaultyProxy.Fault;
import dev.outbox.tck.internal.network.FaultyProxy.Treatment;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The proxy does to connections what it says, and nothing else. */
class FaultyProxyTest {
    private ServerSocket server;
    private FaultyProxy proxy;
    private Socket client;
    private Socket accepted;

    @BeforeEach
    void connect() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        proxy = new FaultyProxy((InetSocketAddress) server.getLocalSocketAddress());
        open();
    }

    private void open() throws IOException {
        client = new Socket();
        client.connect(proxy.address());
        client.setSoTimeout(10_000);
        accepted = server.accept();
        accepted.setSoTimeout(10_000);
    }

    @AfterEach
    void close() throws IOException {
        proxy.close();
        server.close();
        client.close();
        accepted.close();
    }

    @Test
    void whatIsSentArrivesBothWays() throws IOException {
        assertArrives(client, accepted, 1_000_000);
        assertArrives(accepted, client, 1_000_000);
    }

    @Test
    void aSlowDripArrivesWhole() throws IOException {
        proxy.treat(() -> new Treatment(1_000, 3, null));
        open();
        assertArrives(client, accepted, 5_000);
    }

    @Test
    void theAnswerThatIsToBeLostIsLost() throws IOException {
        Fault fault = new Fault(Direction.REPLIES, 1);
        proxy.arm(fault);
        assertArrives(client, accepted, 10);
        assertArrives(accepted, client, 10);
        assertFalse(fault.struck(), "the first answer was to pass");
        assertArrives(client, accepted, 10);
        accepted.getOutputStream().write(new byte[10]);
        assertThrows(IOException.class, () -> readOrFail(client), "reading the lost answer");
        assertTrue(fault.struck(), "the second answer was to be lost");
    }

    @Test
    void aCutEndsBothSides() throws IOException {
        assertArrives(client, accepted, 10); // so that the connection is known to the proxy
        proxy.cut();
        assertThrows(IOException.class, () -> readOrFail(client), "reading at the client");
        assertThrows(IOException.class, () -> readOrFail(accepted), "reading at the server");
    }

    @Test
    void aHalfOpenConnectionEndsForTheServerOnly() throws IOException {
        assertArrives(client, accepted, 10);
        proxy.goAwayInSilence();
        assertThrows(IOException.class, () -> readOrFail(accepted), "reading at the server");
        client.getOutputStream().write(new byte[10]);
        client.setSoTimeout(100);
        assertThrows(SocketTimeoutException.class, () -> readOrFail(client), "reading at the client");
    }

    @Test
    void whoConnectsToANetworkThatIsAwayFailsUntilItComesBack() throws IOException {
        assertArrives(client, accepted, 10);
        proxy.goAway();
        assertThrows(IOException.class, () -> readOrFail(client), "reading at the client");
        try (Socket refused = new Socket()) {
            refused.connect(proxy.address());
            assertThrows(IOException.class, () -> readOrFail(refused), "reading while the network is away");
        }
        proxy.comeBack();
        open();
        assertArrives(client, accepted, 10);
    }

    private static void readOrFail(Socket socket) throws IOException {
        if (socket.getInputStream().read() < 0) {
            throw new IOException("ended");
        }
    }

    private static void assertArrives(Socket from, Socket to, int length) throws IOException {
        byte[] sent = new byte[length];
        new Random(length).nextBytes(sent);
        Thread sender = new Thread(() -> {
            try {
                from.getOutputStream().write(sent);
            } catch (IOException e) {
                // what was read tells
            }
        });
        sender.start();
        byte[] received = to.getInputStream().readNBytes(length);
        assertEquals(length, received.length, "bytes that arrived");
        assertArrayEquals(sent, received, "what arrived");
    }
}
