package dev.outbox.store.redis;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import redis.clients.jedis.Protocol;

/**
 * What has to happen on the server in one step. Servers remember scripts by their SHA-1, and forget them when they are
 * restarted or replaced; then they are sent the whole text.
 */
final class Script {
    static final Script FIND_READY = new Script("find_ready");
    static final Script TAKE = new Script("take");
    static final Script RENEW = new Script("renew");
    static final Script RELEASE = new Script("release");
    static final Script CLOSE = new Script("check_hold", "close");
    static final Script CLOSE_AND_KEEP = new Script("check_hold", "close_and_keep");
    static final Script BACKLOG = new Script("backlog");
    static final Script FAILING = new Script("failing");
    static final Script PAGE = new Script("page");
    static final Script HOLDERS = new Script("holders");
    static final Script RETRY = new Script("retry");
    static final Script DEAD_TOPICS = new Script("dead_topics");
    static final Script DEAD_LETTERS = new Script("dead_letters");
    static final Script CHECK = new Script("check");
    static final Script WRITE = new Script("write");

    private final byte[] body;
    private final byte[] sha1;

    /** @param parts files, one after the other */
    private Script(String... parts) {
        try {
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            for (String part : parts) {
                text.write(file("lua/" + part + ".lua"));
            }
            body = text.toByteArray();
            sha1 = KeySpace.bytes(
                    HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(body)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] file(String name) throws IOException {
        try (InputStream resource = Script.class.getResourceAsStream(name)) {
            if (resource == null) {
                throw new IllegalStateException("There is no resource " + name);
            }
            return resource.readAllBytes();
        }
    }

    Command call(List<byte[]> keys, List<byte[]> arguments) {
        byte[][] all = new byte[2 + keys.size() + arguments.size()][];
        all[0] = sha1;
        all[1] = KeySpace.bytes(Integer.toString(keys.size()));
        int i = 2;
        for (byte[] key : keys) {
            all[i++] = key;
        }
        for (byte[] argument : arguments) {
            all[i++] = argument;
        }
        return new Command(Protocol.Command.EVALSHA, all, this);
    }

    /** The same call with the whole text. */
    Command inFull(Command call) {
        byte[][] arguments = call.arguments().clone();
        arguments[0] = body;
        return new Command(Protocol.Command.EVAL, arguments, null);
    }
}
