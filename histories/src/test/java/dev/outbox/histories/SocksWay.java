package dev.outbox.histories;

import dev.outbox.processes.Sockets;
import dev.outbox.servers.TcpProxy;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A way to all members of a set, for a client that asks a SOCKS proxy for them: to each of them one {@link TcpProxy}, all of which do the
 * same. Knows of the protocol (RFC 1928) what that client uses: no password, and connections that go out.
 */
final class SocksWay implements Way {
    private static final byte VERSION = 5;
    private static final byte ADDRESS_IS_A_NAME = 3;

    private final String url;
    private final ServerSocket listener;
    private final Map<String, TcpProxy> proxies = new ConcurrentHashMap<>();

    /** @param parameter how a URL says what proxy to ask, with {@code %d} for its port */
    SocksWay(String url, String parameter) throws IOException {
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        this.url = url + parameter.formatted(listener.getLocalPort());
        Sockets.start("history-socks", this::accept);
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = listener.accept();
            Sockets.start("history-socks", () -> join(client));
        }
    }

    private void join(Socket client) throws IOException {
        @Nullable Socket server = null;
        try {
            client.setTcpNoDelay(true);
            server = new Socket(
                    InetAddress.getLoopbackAddress(), proxyTo(asked(client)).port());
            server.setTcpNoDelay(true);
            client.getOutputStream().write(new byte[] {VERSION, 0, 0, 1, 0, 0, 0, 0, 0, 0});
            Socket there = server;
            Sockets.start("history-socks", () -> carry(client, there));
            carry(there, client);
        } catch (IOException e) {
            Sockets.reset(client);
            if (server != null) {
                Sockets.reset(server);
            }
        }
    }

    private static String asked(Socket client) throws IOException {
        DataInputStream in = new DataInputStream(client.getInputStream());
        in.skipNBytes(1);
        in.skipNBytes(in.readUnsignedByte()); // ways to log in
        client.getOutputStream().write(new byte[] {VERSION, 0});
        in.skipNBytes(3);
        String host;
        if (in.readByte() == ADDRESS_IS_A_NAME) {
            host = new String(in.readNBytes(in.readUnsignedByte()), StandardCharsets.US_ASCII);
        } else {
            host = InetAddress.getByAddress(in.readNBytes(4)).getHostAddress();
        }
        return host + ":" + in.readUnsignedShort();
    }

    private TcpProxy proxyTo(String address) throws IOException {
        synchronized (proxies) {
            TcpProxy proxy = proxies.get(address);
            if (proxy == null) {
                proxy = TcpProxy.before("//" + address);
                proxies.put(address, proxy);
            }
            return proxy;
        }
    }

    private static void carry(Socket from, Socket to) throws IOException {
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] bytes = new byte[64 * 1024];
            for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                out.write(bytes, 0, count);
            }
        } finally {
            Sockets.reset(from);
            Sockets.reset(to);
        }
    }

    private Collection<TcpProxy> all() {
        return proxies.values();
    }

    @Override
    public String url() {
        return url;
    }

    @Override
    public void cut() {
        all().forEach(TcpProxy::cut);
    }

    @Override
    public void stall() {
        all().forEach(TcpProxy::stall);
    }

    @Override
    public void heal() {
        all().forEach(TcpProxy::heal);
    }

    @Override
    public void delay(Duration delay) {
        all().forEach(proxy -> proxy.delay(delay));
    }

    @Override
    public void forget() {
        all().forEach(TcpProxy::forget);
    }

    @Override
    public void tellServer() {
        all().forEach(TcpProxy::tellServer);
    }

    @Override
    public int connections() {
        return all().stream().mapToInt(TcpProxy::connections).sum();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (TcpProxy proxy : all()) {
            proxy.close();
        }
    }
}
