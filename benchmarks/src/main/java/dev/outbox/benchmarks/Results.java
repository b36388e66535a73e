package dev.outbox.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What one run has found, and on what. */
record Results(Setting setting, List<Figure> figures) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    void write(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("setting", setting);
        all.put("figures", figures.stream().map(Figure::asMap).toList());
        JSON.writeValue(file.toFile(), all);
    }

    static Results read(Path file) throws IOException {
        JsonNode all = JSON.readTree(file.toFile());
        List<Figure> figures = new ArrayList<>();
        all.get("figures").forEach(figure -> figures.add(Figure.of(figure)));
        return new Results(JSON.treeToValue(all.get("setting"), Setting.class), figures);
    }

    Optional<Figure> figure(String name) {
        return figures.stream().filter(figure -> figure.name().equals(name)).findFirst();
    }

    /** Those whose names match. */
    List<Figure> matching(String pattern) {
        return figures.stream().filter(figure -> figure.name().matches(pattern)).toList();
    }

    double ratio(String name) {
        return figure(name).map(Figure::ratio).orElse(Double.NaN);
    }

    double value(String name) {
        return figure(name).map(Figure::value).orElse(Double.NaN);
    }

    double theirs(String name) {
        return figure(name).map(Figure::theirs).orElse(Double.NaN);
    }
}
