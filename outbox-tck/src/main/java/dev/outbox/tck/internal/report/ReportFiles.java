package dev.outbox.tck.internal.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes a report in both its forms. */
public final class ReportFiles {
    public static final String JSON = "conformance.json";
    public static final String HTML = "conformance.html";

    private ReportFiles() {}

    /** Writes into a folder, which is made if need be. */
    public static void write(Report report, Path folder) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve(JSON), JsonReport.of(report));
            Files.writeString(folder.resolve(HTML), HtmlReport.of(report));
        } catch (IOException e) {
            throw new IllegalStateException(
                    "The report could not be written to " + folder.toAbsolutePath() + ": " + e + ". Name a folder"
                            + " that can be written by -D" + Settings.REPORT + "=…, or 'none'.",
                    e);
        }
    }
}
