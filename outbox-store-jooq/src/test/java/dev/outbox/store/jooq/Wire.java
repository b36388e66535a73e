package dev.outbox.store.jooq;

import dev.outbox.processes.Sockets;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Stands between a driver and its server and counts round trips: how often the client speaks after the server did. What a
 * driver sends on its own, and what it sends together, is seen here and nowhere else.
 */
final class Wire implements AutoCloseable {
    private static final Pattern ADDRESS = Pattern.compile("//([^:/]+):(\\d+)/");

    private final String url;
    private final ServerSocket listening;
    private final List<StringBuilder> roundTrips = new ArrayList<>();
    private final List<Socket> sockets = new ArrayList<>();

    Wire(String url) throws IOException {
        Matcher address = ADDRESS.matcher(url);
        if (!address.find()) {
            throw new IllegalArgumentException(url);
        }
        this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        this.url = address.replaceFirst("//127.0.0.1:" + listening.getLocalPort() + "/");
        Sockets.start("wire", () -> {
            while (true) {
                connect(address.group(1), Integer.parseInt(address.group(2)));
            }
        });
    }

    /** As the one it was made of, through here. */
    String url() {
        return url;
    }

    /** Begins to count anew. */
    synchronized void clear() {
        roundTrips.clear();
    }

    /** What the client has sent since, one text for each round trip; readable as far as the protocol is. */
    synchronized List<String> roundTrips() {
        return roundTrips.stream().map(StringBuilder::toString).toList();
    }

    private void connect(String host, int port) throws IOException {
        Socket client = listening.accept();
        Socket server = new Socket(host, port);
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        synchronized (this) {
            sockets.add(client);
            sockets.add(server);
        }
        Turn turn = new Turn();
        Sockets.start("wire", () -> pump(client, server, (bytes, count) -> said(turn, bytes, count)));
        Sockets.start("wire", () -> pump(server, client, (bytes, count) -> answered(turn)));
    }

    /** Whose turn it is on a connection. */
    private static final class Turn {
        boolean clients;
    }

    private synchronized void said(Turn turn, byte[] bytes, int count) {
        if (!turn.clients || roundTrips.isEmpty()) {
            turn.clients = true;
            roundTrips.add(new StringBuilder());
        }
        roundTrips.get(roundTrips.size() - 1).append(new String(bytes, 0, count, StandardCharsets.ISO_8859_1));
    }

    private synchronized void answered(Turn turn) {
        turn.clients = false;
    }

    private interface Heard {
        void heard(byte[] bytes, int count);
    }

    private static void pump(Socket from, Socket to, Heard heard) throws IOException {
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] bytes = new byte[65_536];
            for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                heard.heard(bytes, count); // before it is passed on, so that it cannot be overtaken by the answer
                out.write(bytes, 0, count);
            }
        }
    }

    @Override
    public synchronized void close() {
        try {
            listening.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
