package dev.outbox.servers;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports for servers that are told one, and that are killed and come back on it. Until this JVM ends, nobody else gets a
 * port that was given out here: not a connection that goes out, since the system takes their ports from above those
 * that are given out; not another JVM that asks here, since a claim is a socket of UDP on the port of the same number,
 * which the system takes back from the dead.
 */
public final class Ports {
    private static final int LOWEST = 10_000;
    private static final Path RANGE_OF_CONNECTIONS = Path.of("/proc/sys/net/ipv4/ip_local_port_range");
    private static final Map<Integer, DatagramSocket> CLAIMS = new ConcurrentHashMap<>();

    private Ports() {}

    /** A port of this machine that nothing listens on. */
    public static int free() throws IOException {
        int bound = lowestOfConnections();
        for (int tries = 0; tries < 10_000; tries++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, bound);
            if (claim(port)) {
                return port;
            }
        }
        throw new IOException("no free port from " + LOWEST + " to " + (bound - 1));
    }

    static boolean claim(int port) {
        DatagramSocket claim;
        try {
            claim = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        } catch (IOException claimed) {
            return false;
        }
        try {
            new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
            CLAIMS.put(port, claim);
            return true;
        } catch (IOException taken) {
            claim.close();
            return false;
        }
    }

    static void release(int port) {
        DatagramSocket claim = CLAIMS.remove(port);
        if (claim != null) {
            claim.close();
        }
    }

    /** Where the system may be set up to use all ports for connections, or not tell, what is usual is taken. */
    static int lowestOfConnections() throws IOException {
        int usual = 32_768;
        if (!Files.exists(RANGE_OF_CONNECTIONS)) {
            return usual;
        }
        int lowest =
                Integer.parseInt(Files.readString(RANGE_OF_CONNECTIONS).strip().split("\\s+", 2)[0]);
        return lowest < LOWEST + 1_000 ? usual : lowest;
    }
}
