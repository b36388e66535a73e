package dev.outbox.store.redis;

import dev.outbox.processes.Sockets;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.HostAndPort;

/**
 * Leads connections to all servers of a cluster through one proxy, which knows one address. A client's end says first which server
 * it wants, and behind the proxy the exchange connects it there:
 *
 * <pre>client - line to a server - proxy - exchange - that server</pre>
 *
 * <p>What one side closes or resets, both ends here close or reset at once. Lives as long as the JVM.
 */
final class Switchboard {
    private static final Map<String, HostAndPort> LINES = new ConcurrentHashMap<>();
    private static @Nullable InetSocketAddress exchange;

    private Switchboard() {}

    /** What a proxy is to be put before. */
    static synchronized InetSocketAddress exchange() throws IOException {
        if (exchange == null) {
            exchange = listen(client -> {
                String[] wanted = readLine(client.getInputStream()).split(" ", -1);
                return new Socket(wanted[0], Integer.parseInt(wanted[1]));
            });
        }
        return exchange;
    }

    /** Where a client connects to if it wants a server by way of a proxy. */
    static HostAndPort lineTo(HostAndPort server, int proxy) {
        return LINES.computeIfAbsent(server + " " + proxy, key -> {
            byte[] wanted = (server.getHost() + " " + server.getPort() + "\n").getBytes(StandardCharsets.US_ASCII);
            try {
                InetSocketAddress line = listen(client -> {
                    Socket upstream = new Socket(InetAddress.getLoopbackAddress(), proxy);
                    upstream.getOutputStream().write(wanted);
                    return upstream;
                });
                return new HostAndPort("127.0.0.1", line.getPort());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private interface Upstream {
        Socket connect(Socket client) throws IOException;
    }

    private static InetSocketAddress listen(Upstream upstream) throws IOException {
        ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Sockets.start("switchboard", () -> {
            while (true) {
                Socket client = listener.accept();
                Sockets.start("switchboard", () -> join(client, upstream));
            }
        });
        return new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort());
    }

    private static void join(Socket client, Upstream upstream) throws IOException {
        Socket server;
        try {
            client.setTcpNoDelay(true);
            server = upstream.connect(client);
            server.setTcpNoDelay(true);
        } catch (IOException e) {
            Sockets.reset(client);
            return;
        }
        Sockets.start("switchboard", () -> carry(client, server));
        carry(server, client);
    }

    private static void carry(Socket from, Socket to) throws IOException {
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] bytes = new byte[64 * 1024];
            for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                out.write(bytes, 0, count);
            }
            to.shutdownOutput();
        } catch (IOException e) {
            Sockets.reset(from);
            Sockets.reset(to);
        }
    }

    /** Byte by byte, because what follows is the server's. */
    private static String readLine(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new IOException("ended before it said what it wants");
            }
            line.append((char) c);
        }
        return line.toString();
    }
}
