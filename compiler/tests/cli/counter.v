// A counter that says something, checks something and finishes; the source of counter.il:
//   yosys -q -p 'read_verilog -sv counter.v; hierarchy -check; write_rtlil counter.il'
module counter(
  input clk, input rst, input en, input [3:0] addr,
  output reg [7:0] count, output [15:0] word, output [99:0] wide
);
  reg [15:0] ram [0:15];
  reg [99:0] shifter = 1;
  wire [7:0] next = count + 1;
  assign word = ram[addr];
  assign wide = shifter;
  always @(posedge clk) begin
    if (rst) count <= 0;
    else if (en) begin
      count <= next;
      shifter <= {shifter[98:0], shifter[99]};
      if (count == 5) $display("five at %0d, %h", count, shifter);
      if (count == 200 && addr == 1) $display("\001finish 0");
      if (count == 200 && addr == 2) $display("\001fatal 1 wrong %0d", count);
      if (count == 200 && addr == 3) $display("\001stop");
      check: assert (count != 200 || addr != 4);
    end
  end
endmodule
