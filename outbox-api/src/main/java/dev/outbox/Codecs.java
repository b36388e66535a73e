package dev.outbox;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The codecs that come with outbox. */
public final class Codecs {
    private Codecs() {}

    /**
     * JSON, by the one artifact on the class path that makes it: {@code outbox-jackson} or {@code outbox-jackson3}. It
     * says what is kept and what is refused. A {@link Topic} uses it unless it is given a codec.
     *
     * @throws ConfigurationException if there is no such artifact, or more than one, or if it refuses the type
     */
    public static <T> Codec<T> json(Class<T> type) {
        List<JsonCodecProvider> found = Providers.all(JsonCodecProvider.class, "codec for JSON");
        if (found.size() == 1) {
            return found.get(0).json(type);
        }
        String instead = ", or give the topic a codec of its own: Topic.builder(name, codec).";
        throw new ConfigurationException(
                found.isEmpty()
                        ? "There is nothing on the class path that writes " + type.getTypeName()
                                + " as JSON. Add the artifact dev.outbox:outbox-jackson, or outbox-jackson3 for Jackson 3"
                                + instead
                        : "There are " + found.size() + " artifacts on the class path that write "
                                + type.getTypeName() + " as JSON: "
                                + Providers.described(found, JsonCodecProvider::description) + ". Keep one of them"
                                + instead);
    }

    /** Bytes as they are. */
    public static Codec<byte[]> bytes() {
        return Bytes.INSTANCE;
    }

    /** Text in UTF-8; text that is not valid Unicode is refused. */
    public static Codec<String> text() {
        return Text.INSTANCE;
    }

    private enum Bytes implements Codec<byte[]> {
        INSTANCE;

        @Override
        public byte[] encode(byte[] message) {
            return message.clone();
        }

        @Override
        public byte[] decode(byte[] payload) {
            return payload;
        }
    }

    private enum Text implements Codec<String> {
        INSTANCE;

        @Override
        public byte[] encode(String message) throws CharacterCodingException {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(java.nio.CharBuffer.wrap(message));
            byte[] bytes = new byte[encoded.remaining()];
            encoded.get(bytes);
            return bytes;
        }

        @Override
        public String decode(byte[] payload) throws CharacterCodingException {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(payload))
                    .toString();
        }
    }
}
