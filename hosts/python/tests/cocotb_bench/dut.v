`timescale 1ns/1ps
// Something of everything that a testbench looks at: registers, a memory, a divided clock, an asynchronous reset,
// generate blocks, an instance, messages, the end of the simulation.
module dut #(parameter STAGES = 4) (
    input  wire              clk,
    input  wire              rst,
    input  wire              en,
    input  wire        [7:0] d,
    output reg         [7:0] q,
    output wire signed [7:0] twice,
    output reg               half,
    output reg         [7:0] slow
);
    reg [7:0] ram [0:15];
    reg [3:0] row;
    reg [0:7] turned;
    reg [99:0] wide;

    assign twice = q << 1;

    always @(posedge clk)
        if (rst) begin
            q <= 8'd0;
            row <= 4'd0;
            half <= 1'b0;
            turned <= 8'd0;
            wide <= 100'd1;
        end else begin
            half <= !half;
            wide <= {wide[98:0], wide[99]};
            if (en) begin
                q <= d;
                turned <= d;
                ram[row] <= d;
                row <= row + 4'd1;
            end
        end

    always @(posedge half or posedge rst)
        if (rst)
            slow <= 8'd0;
        else
            slow <= slow + 8'd1;

    genvar i;
    generate
        for (i = 0; i < STAGES; i = i + 1) begin : stage
            reg [7:0] value;
            if (i == 0) begin : first
                always @(posedge clk) value <= q;
            end else begin : later
                always @(posedge clk) value <= stage[i - 1].value;
            end
        end
    endgenerate

    successor u (.clk(clk), .x(q), .y());

    always @(posedge clk)
        if (d == 8'hff)
            $finish;
endmodule

module successor (
    input  wire       clk,
    input  wire [7:0] x,
    output reg  [7:0] y
);
    always @(posedge clk) y <= x + 8'd1;
endmodule
