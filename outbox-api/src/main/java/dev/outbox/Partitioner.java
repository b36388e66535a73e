package dev.outbox;

import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/**
 * Which partition a key is in. Every process and version must find the same one, so the hash is a public one: CRC-32 of
 * the key in UTF-8, modulo the number of partitions.
 */
public final class Partitioner {
    private Partitioner() {}

    /**
     * The partition of a key, from 0.
     *
     * @param key not null: a message without a key may be in any partition
     * @param partitions how many the topic has, 1 or more
     * @throws MisuseException if there are to be fewer
     */
    public static int partitionOf(String key, int partitions) {
        if (partitions < 1) {
            throw new MisuseException("partitions is " + partitions + "; expected at least 1.");
        }
        if (partitions == 1) {
            return 0;
        }
        CRC32 crc = new CRC32();
        crc.update(key.getBytes(StandardCharsets.UTF_8));
        return (int) (crc.getValue() % partitions);
    }
}
