package dev.outbox.examples.quickstart;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Stands in for a broker: a file with one line per delivery, in the order of arrival. A line counts once its line feed
 * is there. It is handed to the operating system before {@link #append} returns, which outlives the process (though not
 * the machine, which nothing here kills).
 */
final class DeliveryLog implements AutoCloseable {
    private final FileOutputStream file;

    private DeliveryLog(FileOutputStream file) {
        this.file = file;
    }

    /**
     * Opens the log for one process at a time. What a killed process left of a line is cut off: that publish never
     * returned, so the message comes again.
     */
    static DeliveryLog open(Path path) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            long end = file.length();
            while (end > 0 && byteAt(file, end - 1) != '\n') {
                end--;
            }
            file.setLength(end);
        }
        return new DeliveryLog(new FileOutputStream(path.toFile(), true));
    }

    private static int byteAt(RandomAccessFile file, long position) throws IOException {
        file.seek(position);
        return file.read();
    }

    /** Safe for use by several threads. */
    synchronized void append(Delivered delivered) throws IOException {
        String line = delivered.messageId() + '\t' + delivered.key() + '\t' + delivered.orderNumber() + '\n';
        file.write(line.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    /** Every delivery in the file; a torn last line is none. */
    static List<Delivered> read(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int end = bytes.length;
        while (end > 0 && bytes[end - 1] != '\n') {
            end--;
        }
        String complete = new String(bytes, 0, end, StandardCharsets.UTF_8);
        List<Delivered> all = new ArrayList<>();
        for (String line : complete.lines().toList()) {
            String[] fields = line.split("\t", -1);
            if (fields.length != 3) {
                throw new IOException(file + ":" + (all.size() + 1) + " is not a delivery: '" + line + "'");
            }
            all.add(new Delivered(fields[0], fields[1], fields[2]));
        }
        return all;
    }

    /** Counts the lines of a log that another process is writing. Used by one thread. */
    static final class Counter {
        private final Path file;
        private long counted;
        private long position;

        Counter(Path file) {
            this.file = file;
        }

        /** How many complete lines there are by now. */
        long count() throws IOException {
            if (!Files.exists(file)) {
                return 0;
            }
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                ByteBuffer chunk = ByteBuffer.allocate(64 * 1024);
                // Stays after the last line feed. What follows it may be cut off and written again.
                long next = position;
                for (int n = channel.read(chunk, next); n > 0; n = channel.read(chunk.clear(), next)) {
                    for (int i = 0; i < n; i++) {
                        if (chunk.get(i) == '\n') {
                            counted++;
                            position = next + i + 1;
                        }
                    }
                    next += n;
                }
            }
            return counted;
        }
    }
}
